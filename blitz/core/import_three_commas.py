"""3Commas' bot parameters, by the names of its API, turned into our settings. Pure.

There a deviation counts from the base order's price, a take-profit is a percent of the price, and a stop-loss counts
from the base order. Here gaps count from the previous leg, and exits are percents of the margin (ROE) from the average:
ROE percent = price percent · leverage. Volumes are margin or the value of the order: whoever imports says which.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from blitz.core.generator import Sizes, generate, read_safety_orders
from blitz.core.imported import NEVER, SECRETS, Imported, Left, settings_of, usdt_symbol
from blitz.core.ladder_settings import LEVERAGE_MAX, ROE_MAX, LadderSettings, bounded, plain
from blitz.core.orders import ZERO, Side
from blitz.errors import SettingsProblem

GENERATOR = {
    "base_order": "base_order_volume",
    "safety_order": "safety_order_volume",
    "safety_orders": "max_safety_orders",
    "deviation": "safety_order_step_percentage",
    "step_scale": "martingale_step_coefficient",
    "volume_scale": "martingale_volume_coefficient",
}
"""Our generator's fields, by their names there."""
VOLUME_TYPES = ("base_order_volume_type", "safety_order_volume_type")
READ = frozenset({
    *GENERATOR.values(), *VOLUME_TYPES, "take_profit", "take_profit_type", "take_profit_steps", "stop_loss_percentage",
    "leverage_custom_value", "leverage_type", "strategy", "pairs", "strategy_list", "disable_after_deals_count",
})  # fmt: skip
KNOWN = frozenset({*GENERATOR.values(), "leverage_custom_value", "stop_loss_percentage", "take_profit_type"})
"""Any of these names shows that a paste is 3Commas'."""
ALIASES = {
    "base_order": "base_order_volume",
    "base_order_size": "base_order_volume",
    "safety_order": "safety_order_volume",
    "safety_order_size": "safety_order_volume",
    "averaging_order_size": "safety_order_volume",
    "safety_orders": "max_safety_orders",
    "max_safety_orders_count": "max_safety_orders",
    "max_safe_orders": "max_safety_orders",
    "averaging_orders_quantity": "max_safety_orders",
    "deviation": "safety_order_step_percentage",
    "price_deviation": "safety_order_step_percentage",
    "price_deviation_to_open_safety_orders": "safety_order_step_percentage",
    "step_scale": "martingale_step_coefficient",
    "safety_order_step_scale": "martingale_step_coefficient",
    "volume_scale": "martingale_volume_coefficient",
    "safety_order_volume_scale": "martingale_volume_coefficient",
    "target_profit": "take_profit",
    "stop_loss": "stop_loss_percentage",
    "leverage": "leverage_custom_value",
    "margin_mode": "leverage_type",
    "pair": "pairs",
    "symbol": "pairs",
    "side": "strategy",
    "direction": "strategy",
}
"""The words of its pages, and ours."""
WORDS = {
    "trailing_enabled": "A trailing take-profit does not exist here: the take-profit rests at its price.",
    "trailing_deviation": "A trailing take-profit does not exist here: the take-profit rests at its price.",
    "tsl_enabled": "A trailing stop-loss does not exist here: the stop-loss follows the average only.",
    "sl_to_breakeven_enabled": "A stop-loss that moves to break-even does not exist here.",
    "stop_loss_timeout_enabled": "The stop-loss rests at the exchange and triggers at once; it has no timeout.",
    "stop_loss_timeout_in_seconds": "The stop-loss rests at the exchange and triggers at once; it has no timeout.",
    "active_safety_orders_count": "All legs rest at the exchange at the same time.",
    "max_active_deals": "A bot trades one market, one cycle at a time.",
    "cooldown": "There is no pause between cycles.",
    "start_order_type": "Leg 0 always enters at market.",
    "close_strategy_list": "A cycle ends by its take-profit or stop-loss, not by a signal.",
    "safety_strategy_list": "Legs rest at their prices; they wait for no signal.",
    "min_volume_btc_24h": "The volume of the market is not looked at.",
    "profit_currency": "Profit is in USDT.",
    "account_id": "Keys and exchange are chosen here.",
    "name": "A bot has no name here.",
    "id": "A bot is known by its trader here.",
}
"""Why a known field has no counterpart."""
NOT_KNOWN = "This is not known here."
NOTHING = ("", "0", "0.0", "false", "no", "off", "none", "null", "[]", "{}")
"""A switch that is off loses nothing when it is left out."""


def from_three_commas(fields: Mapping[str, object], *, base: LadderSettings, sizes: Sizes) -> Imported:
    """Turn them into settings. Raises `SettingsProblem` at their own names."""
    return _Reader(fields, base, sizes).imported()


class _Reader:
    """Reads one paste, and collects what is wrong with it and what is worth saying."""

    def __init__(self, fields: Mapping[str, object], base: LadderSettings, sizes: Sizes) -> None:
        self._fields = dict(fields)
        self._base = base
        self._sizes = sizes
        self._errors: dict[str, list[str]] = {}
        self._taken: list[str] = []
        self._left: list[Left] = []

    def imported(self) -> Imported:
        side, leverage = self._side(), self._number("leverage_custom_value", Decimal(1), LEVERAGE_MAX)
        used = self._base.leverage if leverage is None else leverage
        found: dict[str, object] = {"side": side.value, "leverage": plain(used)}
        self._market(found)
        self._exits(found, used)
        rows = self._legs(side, used)
        self._left_out()
        if self._errors:
            raise SettingsProblem(self._errors)
        found["grids"] = rows
        found["rounds"] = len(rows)
        settings = settings_of(found, self._base)
        return Imported(kind="3commas", fields=settings, taken=tuple(self._taken), left=tuple(self._left))

    def _number(self, field: str, least: Decimal, most: Decimal) -> Decimal | None:
        """A number that may be missing; None then, and when it is wrong."""
        value = self._fields.get(field)
        if value is None or value == "":
            return None
        try:
            return bounded(value, least=least, most=most)
        except ValueError as problem:
            self._errors[field] = [str(problem)]
            return None

    def _side(self) -> Side:
        text = str(self._fields.get("strategy", self._base.side.value)).strip().lower()
        if text in set(Side):
            return Side(text)
        self._errors["strategy"] = [f"{text[:40]} is not possible; choose long or short."]
        return self._base.side

    def _market(self, found: dict[str, object]) -> None:
        pairs = self._fields.get("pairs")
        names = pairs.split(",") if isinstance(pairs, str) else pairs
        if isinstance(names, Sequence) and names:
            try:
                found["symbol"] = usdt_symbol("pairs", names[0])
            except SettingsProblem as problem:
                self._errors.update(problem.errors)
            if len(names) > 1:
                self._left.append(Left("pairs", "A bot trades one market here; the first one was taken."))
        kind = str(self._fields.get("leverage_type", "")).strip().lower()
        if kind in ("cross", "isolated"):
            found["margin_mode"] = kind
        deals = self._fields.get("disable_after_deals_count")
        if deals is not None and _is_on(deals):
            found["repeat"] = False
            if str(deals).strip() != "1":
                said = "Cycles are not counted here: the bot stops after one."
                self._left.append(Left("disable_after_deals_count", said))

    def _exits(self, found: dict[str, object], leverage: Decimal) -> None:
        take_profit = self._take_profit()
        if take_profit is None:
            self._taken.append("The paste has no take-profit: the one of the form stays.")
        else:
            found["take_profit"] = self._roe("take_profit", take_profit, leverage)
            price, roe, at = plain(take_profit), found["take_profit"], plain(leverage)
            self._taken.append(
                f"The take-profit of {price} % of the price is {roe} % of the margin (ROE) at leverage {at}."
            )
            if str(self._fields.get("take_profit_type", "total")).strip().lower() == "base":
                said = (
                    "There the take-profit is a percent of the base order only; here it counts on the whole position."
                )
                self._left.append(Left("take_profit_type", said))
        stop_loss = self._number("stop_loss_percentage", ZERO, ROE_MAX) or ZERO
        found["stop_loss"] = self._roe("stop_loss_percentage", stop_loss, leverage)
        if not stop_loss:
            self._taken.append("The paste has no stop-loss: it is off.")
        else:
            price, roe, at = plain(stop_loss), found["stop_loss"], plain(leverage)
            self._taken.append(
                f"The stop-loss of {price} % of the price is {roe} % of the margin (ROE) at leverage {at}. There it "
                "counts from the base order, here from the average: it moves away with every leg that fills."
            )

    def _take_profit(self) -> Decimal | None:
        """Percent of the price; of several steps none can be taken."""
        steps = self._fields.get("take_profit_steps")
        if isinstance(steps, list) and len(steps) > 1:
            said = "One take-profit closes the whole position here; several steps do not exist."
            self._left.append(Left("take_profit_steps", said))
        elif isinstance(steps, list) and steps and isinstance(steps[0], Mapping) and not self._given("take_profit"):
            self._fields["take_profit"] = steps[0].get("profit_percentage")
        return self._number("take_profit", ZERO, ROE_MAX)

    def _roe(self, field: str, percent: Decimal, leverage: Decimal) -> str:
        roe = percent * leverage
        if roe > ROE_MAX:
            self._errors[field] = [f"would be {plain(roe)} % of the margin; {plain(ROE_MAX)} % is the most."]
        return plain(roe)

    def _legs(self, side: Side, leverage: Decimal) -> list[dict[str, str]]:
        for field in VOLUME_TYPES:
            kind = str(self._fields.get(field, "quote_currency")).strip().lower()
            if kind not in ("quote_currency", "quote", "usdt", ""):
                self._errors[field] = ["only sizes in the quote currency (USDT) can be taken over; write them so."]
        given = {ours: self._fields[theirs] for ours, theirs in GENERATOR.items() if self._given(theirs)}
        if given.get("safety_orders") is not None and str(given["safety_orders"]).strip() == "0":
            given = {"safety_order": 1, "deviation": 1, **given}  # neither is used
        raw = {**given, "measured_from": "base", "sizes": self._sizes.value}
        try:
            rows = generate(read_safety_orders(raw, side=side, leverage=leverage))
        except SettingsProblem as problem:
            for field, sentences in problem.errors.items():
                self._errors.setdefault(GENERATOR.get(field, field), []).extend(sentences)
            return []
        at = plain(leverage)
        if self._sizes is Sizes.NOTIONAL:
            told = f"The volumes were read as the value of each order: as margin they are divided by leverage {at}."
        else:
            told = f"The volumes were read as margin: each position is {at} times as large."
        self._taken.append(told)
        if len(rows) > 2:
            self._taken.append("Deviations from the base order became gaps from the leg before.")
        return [row.to_json() for row in rows]

    def _given(self, field: str) -> bool:
        return self._fields.get(field) not in (None, "")

    def _left_out(self) -> None:
        starts = self._fields.get("strategy_list")
        if starts is not None and _is_on(starts) and "nonstop" not in str(starts).lower():
            said = "There a deal starts on a signal; here a cycle starts as soon as the one before has ended."
            self._left.append(Left("strategy_list", said))
        for field, value in self._fields.items():
            if field in READ or (field in WORDS and not _is_on(value)):
                continue
            self._left.append(Left(field[:40], NEVER if field in SECRETS else WORDS.get(field, NOT_KNOWN)))


def _is_on(value: object) -> bool:
    return value is not None and str(value).strip().lower() not in NOTHING

"""What a client can set on an account: leverage, position mode, margin mode. And the money put into it.

Called by `Venue`. After a refusal nothing has changed.
"""

from dataclasses import replace
from decimal import Decimal

from blitz.paper.engine import refusals
from blitz.paper.engine.accounts import SETTLE_COIN, Account
from blitz.paper.engine.alerts import rearm
from blitz.paper.engine.events import EventKind, SettingsChange
from blitz.paper.engine.floor import Floor
from blitz.paper.engine.houses import House
from blitz.paper.engine.instruments import Instrument
from blitz.paper.engine.margin import position_report, tier_of, wallet_report
from blitz.paper.engine.orders import Side
from blitz.paper.engine.positions import round_money
from blitz.paper.engine.refusals import PARAMETER_ERROR, VenueRefusal

LARGEST_AMOUNT = Decimal("1e15")
"""No deposit is larger: beyond it money would not keep its eight decimals."""


class AccountDesk:
    """Takes clients' settings."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def open(self, key: str, secret: str, balance: Decimal, house: House) -> Account:
        """Open an account with a first deposit, or hand out the one that exists under the same key and secret."""
        known = self._floor.accounts.get(key)
        if known is not None:
            if known.secret != secret:
                raise VenueRefusal(refusals.UNKNOWN_KEY, "API key exists with another secret.")
            if known.house is not house:
                raise VenueRefusal(refusals.UNKNOWN_KEY, "API key exists at another exchange.")
            return known
        if not key or not secret:
            raise VenueRefusal(PARAMETER_ERROR, "params error: key and secret are required")
        _check_amount(balance, at_least_zero=True)
        user_id = 1_000_000 + len(self._floor.accounts) + 1
        account = Account(
            key=key, secret=secret, user_id=user_id, house=house, deposited=round_money(balance),
            default_is_hedge=house.starts_in_hedge,
        )  # fmt: skip
        self._floor.accounts[key] = account
        self._floor.changed[key] = None
        return account

    def deposit(self, account: Account, amount: Decimal, now_ms: int) -> None:
        """Add to the wallet, or take from it (negative) what is available."""
        _check_amount(amount, at_least_zero=False)
        if amount < 0 and -amount > wallet_report(self._floor, account).available:
            raise VenueRefusal(refusals.INSUFFICIENT_BALANCE, "available balance is not enough")
        account.deposited += round_money(amount)
        rearm(self._floor, account)
        self._floor.tell(account, EventKind.WALLET, wallet_report(self._floor, account), now_ms)

    def set_leverage(self, account: Account, symbol: str, buy: Decimal, sell: Decimal, now_ms: int) -> None:
        """Set the leverage of a symbol. Sides may differ only in hedge mode; on Bybit only with isolated margin."""
        instrument = self._floor.terms(account, symbol)
        before = self._floor.settings(account, symbol)
        for leverage in (buy, sell):
            _check_leverage(instrument, leverage)
        apart = before.is_hedge and (account.house.leverage_by_side or account.isolates(symbol))
        if buy != sell and not apart:
            raise VenueRefusal(PARAMETER_ERROR, "buy leverage must equal sell leverage")
        if (before.buy_leverage, before.sell_leverage) == (buy, sell):
            raise VenueRefusal(refusals.LEVERAGE_UNCHANGED, "leverage not modified")
        self._check_tiers(account, instrument, buy, sell)
        account.settings[symbol] = replace(before, buy_leverage=buy, sell_leverage=sell)
        dearer = buy < before.buy_leverage or sell < before.sell_leverage
        if dearer and wallet_report(self._floor, account).available < 0:
            account.settings[symbol] = before
            raise VenueRefusal(refusals.INSUFFICIENT_FOR_LEVERAGE, "available balance is not enough")
        rearm(self._floor, account)
        self._report(account, symbol, now_ms)
        self._report_settings(account, symbol, now_ms)

    def switch_position_mode(
        self, account: Account, *, symbol: str | None, coin: str | None, hedge: bool, now_ms: int
    ) -> None:
        """Switch one symbol, or all of a coin (then new symbols inherit it), between one-way and hedge mode."""
        if symbol:
            symbols = [self._floor.market(symbol).instrument.symbol]
        elif coin == SETTLE_COIN:
            symbols = list(self._floor.markets)
        else:
            raise VenueRefusal(PARAMETER_ERROR, "params error: symbol or coin is required")
        differing = [name for name in symbols if self._floor.settings(account, name).is_hedge is not hedge]
        if not differing and (symbol or account.default_is_hedge is hedge):
            raise VenueRefusal(refusals.MODE_UNCHANGED, "Position mode is not modified")
        self._check_idle(account, differing)
        for name in differing:
            account.settings[name] = replace(self._floor.settings(account, name), is_hedge=hedge)
        if not symbol:
            account.default_is_hedge = hedge
        self._floor.changed[account.key] = None
        for name in differing if symbol else ():
            self._report(account, name, now_ms)

    def set_margin_mode(self, account: Account, *, isolated: bool, now_ms: int) -> None:
        """Switch the whole account between cross and isolated margin."""
        if account.is_isolated is isolated:
            raise VenueRefusal(refusals.MARGIN_MODE_UNCHANGED, "Margin mode is not modified")
        account.is_isolated = isolated
        if wallet_report(self._floor, account).available < 0:
            account.is_isolated = not isolated
            raise VenueRefusal(refusals.MARGIN_MODE_REFUSED, "Set margin mode failed: insufficient margin")
        rearm(self._floor, account)
        self._floor.tell(account, EventKind.WALLET, wallet_report(self._floor, account), now_ms)

    def set_symbol_margin_mode(self, account: Account, symbol: str, *, isolated: bool, now_ms: int) -> None:
        """Switch one symbol between cross and isolated margin, where the house lets each have its own."""
        self._floor.market(symbol)
        before = dict(account.isolated_symbols)
        if isolated:
            account.isolated_symbols[symbol] = None
        else:
            account.isolated_symbols.pop(symbol, None)
        if account.isolated_symbols == before:
            raise VenueRefusal(refusals.MARGIN_MODE_UNCHANGED, "Margin mode is not modified")
        if wallet_report(self._floor, account).available < 0:
            account.isolated_symbols = before
            raise VenueRefusal(refusals.MARGIN_MODE_REFUSED, "Set margin mode failed: insufficient margin")
        rearm(self._floor, account)
        self._report(account, symbol, now_ms)
        self._report_settings(account, symbol, now_ms)

    def _check_tiers(self, account: Account, instrument: Instrument, buy: Decimal, sell: Decimal) -> None:
        for position_idx in (0, 1, 2):
            holding = account.holding(instrument.symbol, position_idx)
            leverage = sell if holding.side is Side.SELL else buy
            if holding.size and leverage > tier_of(instrument, holding.cost).max_leverage:
                raise VenueRefusal(refusals.LEVERAGE_ABOVE_LIMIT, "cannot set leverage gt maxLeverage by risk limit")

    def _check_idle(self, account: Account, symbols: list[str]) -> None:
        if any(symbol in symbols for symbol, _ in account.open_slots()):
            raise VenueRefusal(
                refusals.MODE_SWITCH_WITH_POSITION, "Existing position, position mode cannot be switched"
            )
        if any(order.symbol in symbols for order in account.open.values()):
            raise VenueRefusal(refusals.MODE_SWITCH_WITH_ORDERS, "Existing open orders, mode cannot be switched")

    def _report_settings(self, account: Account, symbol: str, now_ms: int) -> None:
        if account.house.reports_settings:
            settings, isolated = self._floor.settings(account, symbol), account.isolates(symbol)
            row = SettingsChange(symbol=symbol, settings=settings, is_isolated=isolated)
            self._floor.tell(account, EventKind.SETTINGS, row, now_ms)

    def _report(self, account: Account, symbol: str, now_ms: int) -> None:
        for position_idx in self._floor.settings(account, symbol).slots:
            row = position_report(self._floor, account, symbol, position_idx)
            self._floor.tell(account, EventKind.POSITION, row, now_ms)


def _check_amount(amount: Decimal, *, at_least_zero: bool) -> None:
    if not amount.is_finite() or abs(amount) > LARGEST_AMOUNT or (at_least_zero and amount < 0):
        raise VenueRefusal(PARAMETER_ERROR, "params error: amount invalid")


def _check_leverage(instrument: Instrument, leverage: Decimal) -> None:
    if not leverage.is_finite() or leverage < instrument.min_leverage:
        raise VenueRefusal(PARAMETER_ERROR, "params error: leverage invalid")
    if leverage > instrument.max_leverage:
        raise VenueRefusal(refusals.LEVERAGE_ABOVE_LIMIT, "cannot set leverage gt maxLeverage by risk limit")
    if leverage % instrument.leverage_step:
        raise VenueRefusal(PARAMETER_ERROR, "params error: leverage is not a multiple of the leverage step")

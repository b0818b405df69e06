"""A random walk through everything that can happen to an account; each step is done to both halves of a twin."""

import random
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from blitz.core.calls import AmendOrder, CancelOrder, ReplaceOrder
from blitz.core.ladder_settings import MarginMode
from blitz.core.orders import (
    STOP_LOSS,
    TAKE_PROFIT,
    DesiredOrder,
    Direction,
    OpenOrder,
    OrderType,
    Side,
    leg,
)
from blitz.simulation.houses import BINGX, BYBIT, House
from blitz.simulation.venue_orders import VenueIds
from tests.simulation.twin import NEVER_MS, SOL, START_PRICES, XRP, Account, Hall, Twin

LEVELS = 12
LEVEL = Decimal("0.003")
"""Prices lie on a coarse grid of ±3.6 %: orders often share a price, and no isolated position comes near its end."""
SIZES = {SOL: Decimal("0.1"), XRP: Decimal("10.1")}
RESTING_MAX = 9
NO_SUCH_ORDER = "987654321"
RECORDS_ASKED = 0.1
"""How often an order of old is asked for between two steps; all of them are at the end."""


class Walk:
    """One seed."""

    def __init__(self, hall: Hall, seed: int, house: House = BYBIT) -> None:
        self.chance = chance = random.Random(seed)
        self.account: Account = hall.account(
            house=house,
            ids=chance.choice(list(VenueIds)),
            hedged=chance.random() < 0.4,
            margin_mode=chance.choice(list(MarginMode)),
            sides=(chance.choice(list(Side)), chance.choice(list(Side))),
        )
        self._numbers = 0
        self._acts = {
            self.enter: 5,
            self.rest: 12,
            self.take_profit: 10,
            self.stop: 8,
            self.misfit: 4,
            self.repeat_id: 5,
            self.amend: 12,
            self.amend_badly: 6,
            self.cancel: 6,
            self.jump: 20,
            self.limit_fills: 4,
            self.trade_by_hand: 6,
            self.rest_by_hand: 4,
            self.meddle: 4,
            self.deleverage: 3,
            self.fund: 3,
            self.liquidate: 2,
            self.switch_ids: 1,
        }

        if house is BINGX:
            # Its gateway names no largest order and books funding by the hour; liquidation is a matter of its margin.
            for act in (self.misfit, self.amend_badly, self.fund, self.liquidate):
                del self._acts[act]
            self._acts |= {self.replace: 10, self.replace_ended: 3}

    def go(self, steps: int) -> None:
        """Take so many steps, and compare after each one."""
        acts, weights = list(self._acts), list(self._acts.values())
        for _ in range(steps):
            self.account.wait(self.chance.randint(0, 900))
            twin = self.chance.choice(self.account.twins)
            act = self.chance.choices(acts, weights)[0]
            if len(twin.venue.live) >= RESTING_MAX and act in (self.rest, self.take_profit, self.stop):
                act = self.jump
            act(twin)
            twin.compare()
            sent = list(twin.sent())
            if sent and self.chance.random() < RECORDS_ASKED:
                twin.compare_record(self.chance.choice(sent))
        for twin in self.account.twins:
            twin.compare_everything()
        self.account.compare_books()

    # Drawing

    def price(self, twin: Twin, sign: int = 0) -> Decimal:
        """A price of the grid: any, or one that lies a little way off in the direction of `sign`, mostly."""
        level = self.chance.randint(-LEVELS, LEVELS)
        if sign:
            present = round((twin.venue.price / START_PRICES[twin.symbol] - 1) / LEVEL)
            level = min(max(present + sign * self.chance.randint(-2, 6), -LEVELS), LEVELS)
        tick = twin.venue.instrument.tick
        exact = START_PRICES[twin.symbol] * (1 + level * LEVEL)
        return (exact / tick).to_integral_value(rounding=ROUND_HALF_UP) * tick

    def size(self, twin: Twin) -> Decimal:
        return SIZES[twin.symbol] * self.chance.randint(1, 30)

    def exit_size(self, twin: Twin) -> Decimal:
        held = abs(twin.venue.held)
        if not held or self.chance.random() < 0.3:
            return self.size(twin)
        step = twin.venue.instrument.step
        part = held * self.chance.choice((Decimal("0.3"), Decimal("0.6"), Decimal(1), Decimal(1), Decimal("1.4")))
        return max((part / step).to_integral_value() * step, step)

    def new_id(self, twin: Twin) -> str:
        self._numbers += 1
        return f"sm_leg_{self._numbers}_7_{twin.symbol[:3]}"

    def old_id(self, twin: Twin) -> str:
        known = [client_id for client_id in twin.client_ids.values() if client_id]
        return self.chance.choice(known) if known else self.new_id(twin)

    def some_order(self, twin: Twin) -> OpenOrder | None:
        live = list(twin.listed().values())
        return self.chance.choice(live) if live else None

    def limit(self, twin: Twin) -> DesiredOrder:
        return DesiredOrder(
            key=leg(1), type=OrderType.LIMIT, direction=twin.side.opening, quantity=self.size(twin),
            price=self.price(twin, -twin.side.sign),
        )  # fmt: skip

    # The bot

    def enter(self, twin: Twin) -> None:
        order = DesiredOrder(key=leg(0), type=OrderType.MARKET, direction=twin.side.opening, quantity=self.size(twin))
        twin.send(order, self.new_id(twin))

    def rest(self, twin: Twin) -> None:
        twin.send(self.limit(twin), self.new_id(twin))

    def take_profit(self, twin: Twin) -> None:
        order = DesiredOrder(
            key=TAKE_PROFIT, type=OrderType.LIMIT, direction=twin.side.closing, quantity=self.exit_size(twin),
            price=self.price(twin, twin.side.sign),
        )  # fmt: skip
        twin.send(order, self.new_id(twin))

    def stop(self, twin: Twin) -> None:
        order = DesiredOrder(
            key=STOP_LOSS, type=OrderType.STOP_MARKET, direction=twin.side.closing, quantity=self.exit_size(twin),
            trigger=self.price(twin, -twin.side.sign),
        )  # fmt: skip
        twin.send(order, self.new_id(twin) if self.account.house.stops_carry_ids else "")

    def misfit(self, twin: Twin) -> None:
        """An order that breaks a rule of the market, under a new id or an old one."""
        rules, fine = twin.venue.instrument, self.limit(twin)
        assert fine.price is not None
        market = DesiredOrder(key=leg(0), type=OrderType.MARKET, direction=fine.direction, quantity=fine.quantity)
        chosen = self.chance.choice((
            replace(fine, quantity=fine.quantity + rules.step / 3),
            replace(fine, price=fine.price + rules.tick / 2),
            replace(fine, quantity=rules.step / 2),
            replace(fine, quantity=rules.quantity_min),
            replace(fine, quantity=rules.quantity_max + rules.step),
            replace(fine, price=rules.price_max + rules.tick),
            replace(fine, quantity=rules.quantity_max),
            replace(market, quantity=rules.market_quantity_max + rules.step),
            replace(market, quantity=rules.quantity_min),
        ))  # fmt: skip
        twin.send(chosen, self.new_id(twin))

    def repeat_id(self, twin: Twin) -> None:
        twin.send(self.limit(twin), self.old_id(twin))

    def amend(self, twin: Twin) -> None:
        order = self.some_order(twin)
        if order is None:
            return
        in_place = self.account.house.amends_price
        quantity = self.exit_size(twin) if not in_place or self.chance.random() < 0.6 else None
        if not in_place:
            twin.do(AmendOrder(order_id=order.order_id, quantity=quantity, price=None, trigger=None))
            return
        move = self.price(twin) if quantity is None or self.chance.random() < 0.5 else None
        twin.do(
            AmendOrder(
                order_id=order.order_id,
                quantity=quantity,
                price=move if order.trigger is None else None,
                trigger=move if order.trigger is not None else None,
            )
        )

    def replace(self, twin: Twin) -> None:
        """Another order in the place of one of the bot's; what it is to be may be refused, and then nothing rests."""
        exits = [order for order in twin.listed().values() if order.reduce_only]
        if exits:
            self._replaced(twin, self.chance.choice(exits))

    def replace_ended(self, twin: Twin) -> None:
        ended = [twin.venue.orders[each].shown for each in twin.sent() if each not in twin.venue.live]
        exits = [order for order in ended if order.reduce_only]
        if exits:
            self._replaced(twin, self.chance.choice(exits))

    def _replaced(self, twin: Twin, old: OpenOrder) -> None:
        stops = old.type is OrderType.STOP_MARKET
        order = DesiredOrder(
            key=STOP_LOSS if stops else TAKE_PROFIT,
            type=old.type if stops else OrderType.LIMIT,
            direction=twin.side.closing,
            quantity=self.exit_size(twin),
            price=None if stops else self.price(twin, twin.side.sign),
            trigger=self.price(twin, -twin.side.sign) if stops else None,
        )
        client_id = "" if stops else self.new_id(twin) if self.chance.random() < 0.8 else self.old_id(twin)
        twin.do(ReplaceOrder(order_id=old.order_id, order=order, client_id=client_id, expires_ms=NEVER_MS))

    def amend_badly(self, twin: Twin) -> None:
        order = self.some_order(twin)
        if order is None or self.chance.random() < 0.2:
            ended = [order_id for order_id in twin.sent() if order_id not in twin.venue.live]
            order_id = self.chance.choice(ended) if ended else NO_SUCH_ORDER
            twin.do(AmendOrder(order_id=order_id, quantity=self.size(twin), price=None, trigger=None))
            return
        rules = twin.venue.instrument
        call = AmendOrder(order_id=order.order_id, quantity=None, price=None, trigger=None)
        chosen = [
            replace(call, quantity=order.quantity, price=order.price, trigger=order.trigger),
            replace(call, quantity=max(order.filled, rules.step)),
            replace(call, quantity=order.quantity + rules.step / 4),
            replace(call, quantity=rules.quantity_min),
            replace(call, quantity=rules.quantity_max + rules.step),
            replace(call, quantity=rules.quantity_max),
        ]
        if order.price is not None:
            chosen.append(replace(call, price=order.price + rules.tick / 2))
        twin.do(self.chance.choice(chosen))

    def cancel(self, twin: Twin) -> None:
        order = self.some_order(twin)
        known = [*twin.sent(), NO_SUCH_ORDER]
        order_id = order.order_id if order and self.chance.random() < 0.8 else self.chance.choice(known)
        twin.do(CancelOrder(order_id=order_id))

    # The market and the venue

    def jump(self, twin: Twin) -> None:
        twin.move(twin.venue.price if self.chance.random() < 0.1 else self.price(twin))

    def limit_fills(self, twin: Twin) -> None:
        quantity = twin.venue.instrument.step * self.chance.choice((1, 4, 11, 25, 130, 700))
        self.account.limit_fills(quantity if self.chance.random() < 0.7 else None)

    def deleverage(self, twin: Twin) -> None:
        held = abs(twin.venue.held)
        if held:
            steps = int(held / twin.venue.instrument.step)
            twin.deleverage(twin.venue.instrument.step * self.chance.randint(1, steps))

    def fund(self, twin: Twin) -> None:
        self.account.fund(Decimal(self.chance.randint(-500, 500)) / 1_000_000)

    def liquidate(self, twin: Twin) -> None:
        if twin.venue.held and self.account.margin_mode is MarginMode.ISOLATED:
            twin.liquidate()

    def switch_ids(self, twin: Twin) -> None:
        self.account.switch_ids(self.chance.choice(list(VenueIds)))

    # People

    def trade_by_hand(self, twin: Twin) -> None:
        direction = self.chance.choice(list(Direction))
        if direction is twin.side.closing and self.chance.random() < 0.6:
            twin.trade_by_hand(direction, self.exit_size(twin), reduce_only=True)
        else:
            twin.trade_by_hand(direction, self.size(twin))

    def rest_by_hand(self, twin: Twin) -> None:
        direction = self.chance.choice(list(Direction))
        below = -1 if direction is Direction.BUY else 1
        twin.rest_by_hand(direction, self.size(twin), self.price(twin, below))

    def meddle(self, twin: Twin) -> None:
        sent = list(twin.sent())
        if not sent:
            return
        live = self.some_order(twin)
        order_id = live.order_id if live and self.chance.random() < 0.8 else self.chance.choice(sent)
        if self.chance.random() < 0.4:
            twin.cancel_by_hand(order_id)
        elif live and self._may_be_dragged(live, order_id):
            twin.edit_by_hand(order_id, price=self.price(twin))
        else:
            twin.edit_by_hand(order_id, quantity=self.exit_size(twin))

    def _may_be_dragged(self, live: OpenOrder, order_id: str) -> bool:
        is_limit = live.order_id == order_id and live.price is not None
        return is_limit and self.account.house.amends_price and self.chance.random() < 0.6

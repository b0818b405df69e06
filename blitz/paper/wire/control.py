"""The control interface under `/__paper/`: accounts, prices, faults, time, rules, replay, state. JSON, loopback only.

For tests, the demo and people at the machine. It is not part of the venue's wire: nothing here is signed, so it
answers only to this machine and never to a web page of another origin. Numbers may be strings; a symbol is written as
the venue does (`BTCUSDT`) or in the unified form (`BTC/USDT:USDT`, `BTC/USDT`).

| request | body (? = may be left out) | does |
|---|---|---|
| POST accounts | key, secret, balance?, exchange?, permissions?, ips?, readOnly? | opens one, or changes its key |
| POST deposit | key, amount | adds to the wallet, negative takes |
| POST price | symbol, price, sweep? (false) | moves a price, rounded to the tick: a jump, or through all between |
| POST mark | symbol, mark? | sets the mark apart from last; without mark it follows last again |
| POST funding | symbol, rate? | fixes the coming funding rate; without rate the formula again |
| POST book | symbol, first_level_notional?, spread_ticks? | reshapes the made-up order book |
| POST adl | key, symbol, quantity, position_idx? | reduces a position by auto-deleveraging |
| POST faults | fault, account?, endpoint?, symbol?, probability?, seed?, count?, delay_ms?, … | see `faults.py` |
| GET faults, DELETE faults[?id=] | | lists, lifts one or all |
| POST clock | now_ms or advance_ms | moves venue time ahead; funding that falls due is charged |
| POST rules | id_regime?, enforce_limits?, ban_ms? | switches rules; limits count anew then |
| POST advance | until? (event, bar, end), max_bars? | plays bars in lock-step |
| POST stopwatch | | measures from now on how long clients take from a fill to their next order |
| GET stopwatch[?prefix=] | | what was measured, in microseconds |
| GET limits[?key=] | | what was counted: peaks, breaches, refusals, bans |
| GET state[?key= or account=, brief=1, open=1, executions_from=] | | the books |
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal

from aiohttp import web

from blitz.paper.engine import HOUSES, Account, House, HouseName, IdRegime, Instrument, KeyFacts, VenueRefusal
from blitz.paper.wire.fault_orders import Doors, add_faults, lift_faults
from blitz.paper.wire.feeds.live import unified_symbol
from blitz.paper.wire.feeds.replay import Replay, ReplayBusy, Until
from blitz.paper.wire.host import VenueHost
from blitz.paper.wire.key_facts import read_key_facts
from blitz.paper.wire.params import Params, parse_object
from blitz.paper.wire.report import Wanted, account_figures, state_report
from blitz.paper.wire.strangers import BadControl, refuse_strangers
from blitz.paper.wire.text import JsonObject, encode, plain

log = logging.getLogger(__name__)

PREFIX = "/__paper/"
BAN_MS_MAX = 86_400_000
STATE_NAMES = ("key", "account", "brief", "open", "executions_from")
Act = Callable[[Params], Awaitable[JsonObject]]


class Control:
    """Answers control requests."""

    def __init__(self, host: VenueHost, doors: Doors, replay: Replay | None) -> None:
        self._host = host
        self._doors = doors
        self._replay = replay
        self._symbols = _other_names(host.venue.instruments)
        self._acts: dict[tuple[str, str], Act] = {
            ("POST", "accounts"): self._open_account,
            ("POST", "deposit"): self._deposit,
            ("POST", "price"): self._price,
            ("POST", "mark"): self._mark,
            ("POST", "funding"): self._funding,
            ("POST", "book"): self._book,
            ("POST", "adl"): self._adl,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._lift_faults,
            ("GET", "faults"): self._list_faults,
            ("POST", "clock"): self._clock,
            ("POST", "rules"): self._rules,
            ("POST", "advance"): self._advance,
            ("GET", "limits"): self._limits,
            ("POST", "stopwatch"): self._start_stopwatch,
            ("GET", "stopwatch"): self._stopwatch,
            ("GET", "state"): self._state,
        }

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request: 200 with an object, or 4xx with `{"error": sentence}`."""
        try:
            refuse_strangers(request)
            act = self._acts.get((request.method, request.path.removeprefix(PREFIX)))
            if act is None:
                raise BadControl(f"There is no control {request.method} {request.path}.", 404)
            return _json(await act(self._with_venue_symbol(await _parameters(request))), 200)
        except BadControl as problem:
            return _json({"error": str(problem)}, problem.status)
        except VenueRefusal as no:
            return _json({"error": no.message, "code": no.code}, 400)

    # -- benches
    async def _start_stopwatch(self, params: Params) -> JsonObject:
        del params
        self._host.stopwatch.start()
        return {"runs": True}

    async def _stopwatch(self, params: Params) -> JsonObject:
        return self._host.stopwatch.report(params.text("prefix"))

    # -- accounts
    async def _open_account(self, params: Params) -> JsonObject:
        key, secret = params.required("key"), params.required("secret")
        known, house = self._host.venue.account(key), _house(params)
        facts = _key_facts(params, KeyFacts() if known is None else known.key_facts, house)
        balance = _amount(params, "balance", Decimal(10_000))
        account = self._host.venue.open_account(key, secret, balance, house)
        if facts != account.key_facts:
            self._host.venue.set_key_facts(account, facts)
        self._finish()
        return {"created": known is None, **account_figures(self._host.venue, account)}

    async def _deposit(self, params: Params) -> JsonObject:
        account = self._account(params)
        self._host.venue.deposit(account, _needed(params, "amount"), self._host.clock.now_ms())
        self._finish()
        return account_figures(self._host.venue, account)

    async def _adl(self, params: Params) -> JsonObject:
        account, instrument = self._account(params), self._instrument(params)
        index, now_ms = params.integer("position_idx") or 0, self._host.clock.now_ms()
        self._host.venue.deleverage(account, instrument.symbol, index, _needed(params, "quantity"), now_ms)
        self._finish()
        return account_figures(self._host.venue, account)

    # -- market
    async def _price(self, params: Params) -> JsonObject:
        instrument, price = self._instrument(params), _needed(params, "price")
        if price <= 0:
            raise BadControl("The price must be above zero.")
        on_tick = _nearest_tick(price, instrument.tick_size)
        events = self._host.move_price(instrument.symbol, on_tick, sweep=params.flag("sweep"))
        return {**self._market(instrument), "events": sum(event.account is not None for event in events)}

    async def _mark(self, params: Params) -> JsonObject:
        instrument = self._instrument(params)
        self._host.venue.set_mark(instrument.symbol, params.decimal("mark"), self._host.clock.now_ms())
        self._finish()
        return self._market(instrument)

    async def _funding(self, params: Params) -> JsonObject:
        instrument = self._instrument(params)
        self._host.venue.set_funding_rate(instrument.symbol, params.decimal("rate"))
        return self._market(instrument)

    async def _book(self, params: Params) -> JsonObject:
        instrument = self._instrument(params)
        self._host.venue.set_book(
            instrument.symbol,
            first_level_notional=params.decimal("first_level_notional"),
            spread_ticks=params.integer("spread_ticks"),
        )
        return self._market(instrument)

    def _market(self, instrument: Instrument) -> JsonObject:
        now_ms = self._host.clock.now_ms()
        ticker = self._host.venue.ticker(instrument.symbol, now_ms)
        return {
            "time": str(now_ms),
            "symbol": instrument.symbol,
            "price": plain(ticker.last_price),
            "mark": plain(ticker.mark_price),
            "bid": plain(ticker.bid_price),
            "ask": plain(ticker.ask_price),
            "funding_rate": plain(ticker.funding_rate),
        }

    # -- faults and rules
    async def _add_fault(self, params: Params) -> JsonObject:
        try:
            return add_faults(self._host, self._doors, params)
        except ValueError as problem:
            raise BadControl(str(problem)) from None

    async def _lift_faults(self, params: Params) -> JsonObject:
        return lift_faults(self._host, params.integer("id"))

    async def _list_faults(self, _params: Params) -> JsonObject:
        return {"faults": self._host.faults.report()}

    async def _rules(self, params: Params) -> JsonObject:
        regime = params.text("id_regime")
        if regime:
            try:
                self._host.venue.id_regime = IdRegime(regime)
            except ValueError:
                raise BadControl(f"The id regime is one of {', '.join(IdRegime)}, not {regime!r}.") from None
        if params.text("enforce_limits"):
            for limits in self._host.all_limits():
                limits.enforce(params.flag("enforce_limits"))
        ban_ms = params.integer("ban_ms")
        if ban_ms is not None:
            if not 0 <= ban_ms <= BAN_MS_MAX:
                raise BadControl(f"ban_ms is 0 to {BAN_MS_MAX}.")
            for limits in self._host.all_limits():
                limits.shorten_bans(ban_ms)
        return {
            "id_regime": self._host.venue.id_regime.value,
            "enforce_limits": self._host.limits.enforced,
            "ban_ms": self._host.limits.ban_ms,
        }

    async def _limits(self, params: Params) -> JsonObject:
        """Bybit's counters, and under `bingx` those of its door."""
        key, now_ms = params.text("key"), self._host.clock.wall_ms()
        return {**self._host.limits.report(key, now_ms), "bingx": self._host.bingx_limits.report(key, now_ms)}

    # -- time
    async def _clock(self, params: Params) -> JsonObject:
        clock = self._host.clock
        now_ms, step_ms = params.integer("now_ms"), params.integer("advance_ms")
        if (now_ms is None) == (step_ms is None):
            raise BadControl("Give either now_ms or advance_ms.")
        try:
            clock.set(now_ms if now_ms is not None else clock.now_ms() + (step_ms or 0))
        except ValueError as problem:
            raise BadControl(str(problem)) from None
        self._host.pass_time()
        return {"time": str(clock.now_ms())}

    async def _advance(self, params: Params) -> JsonObject:
        if self._replay is None:
            raise BadControl("There is nothing to advance: start with candles or synthetic and --speed max.", 409)
        try:
            until = Until(params.text("until", "event"))
        except ValueError:
            raise BadControl(f"until is one of {', '.join(Until)}.") from None
        bars_max = params.integer("max_bars")
        if bars_max is not None and bars_max < 1:
            raise BadControl("max_bars must be at least 1.")
        try:
            return await self._replay.advance(until, bars_max)
        except ReplayBusy:
            raise BadControl("Another advance is still running.", 409) from None

    # -- state
    async def _state(self, params: Params) -> JsonObject:
        unknown = next((name for name in params.values if name not in STATE_NAMES), None)
        if unknown is not None:
            raise BadControl(f"The state takes {', '.join(STATE_NAMES)}, not {unknown!r}.")
        key, account = params.text("key"), params.text("account")
        if key and account and key != account:
            raise BadControl("key and account mean the same; give one of them.")
        key = key or account
        if key and self._host.venue.account(key) is None:
            raise BadControl(f"There is no account {key!r}.", 404)
        executions_from = params.integer("executions_from")
        if executions_from is not None and (executions_from < 0 or not params.flag("open")):
            raise BadControl("executions_from is 0 or more and goes with open=1.")
        wanted = Wanted(
            key=key, brief=params.flag("brief"), open_only=params.flag("open"), executions_from=executions_from
        )
        return await state_report(self._host.venue, self._host.clock.now_ms(), wanted)

    def _account(self, params: Params) -> Account:
        account = self._host.venue.account(params.required("key"))
        if account is None:
            raise BadControl(f"There is no account {params.text('key')!r}.", 404)
        return account

    def _instrument(self, params: Params) -> Instrument:
        instrument = self._host.venue.instruments.get(params.required("symbol"))
        if instrument is None:
            raise BadControl(f"The symbol {params.text('symbol')!r} is not listed.", 404)
        return instrument

    def _with_venue_symbol(self, params: Params) -> Params:
        """The same parameters, the symbol as the venue writes it. One that is not known stays as it is."""
        symbol = self._symbols.get(params.text("symbol"))
        return params if symbol is None else Params({**params.values, "symbol": symbol})

    def _finish(self) -> None:
        self._host.publish(self._host.settle())


async def _parameters(request: web.BaseRequest) -> Params:
    if request.method == "POST":
        raw = await request.read()
        return Params.from_object(parse_object(raw)) if raw else Params({})
    return Params.from_query(request.raw_path.partition("?")[2])


def _house(params: Params) -> House:
    try:
        return HOUSES[HouseName(params.text("exchange", HouseName.BYBIT))]
    except ValueError:
        raise BadControl(f"exchange is one of {', '.join(HouseName)}.") from None


def _key_facts(params: Params, before: KeyFacts, house: House) -> KeyFacts:
    try:
        return read_key_facts(params, before, house.name)
    except ValueError as problem:
        raise BadControl(str(problem)) from None


def _needed(params: Params, name: str) -> Decimal:
    number = params.decimal(name)
    if number is None:
        raise BadControl(f"{name} is needed.")
    return number


def _amount(params: Params, name: str, usual: Decimal) -> Decimal:
    number = params.decimal(name)
    if number is None:
        return usual
    if number < 0:
        raise BadControl(f"{name} must be zero or more.")
    return number


def _other_names(instruments: Mapping[str, Instrument]) -> dict[str, str]:
    """Venue symbols by their unified form, with and without the settle coin."""
    named = [(unified_symbol(instrument), symbol) for symbol, instrument in instruments.items()]
    return {form: symbol for name, symbol in named for form in (name, name.partition(":")[0])}


def _nearest_tick(price: Decimal, tick: Decimal) -> Decimal:
    """The multiple of the tick nearest to a price, half up, at least one tick. One on the tick keeps its digits."""
    rounded = max(tick, (price / tick).to_integral_value(rounding=ROUND_HALF_UP) * tick)
    return price if rounded == price else rounded


def _json(answer: JsonObject, status: int) -> web.Response:
    return web.Response(status=status, body=encode(answer), content_type="application/json")

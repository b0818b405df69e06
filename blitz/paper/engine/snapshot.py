"""The venue's state as JSON-ready dictionaries, and back.

An account is stored in two parts: a small state that changes, and append-only lists that only grow, so that the
wire can save after every request without writing old rows again. Price indexes, holders and alerts are not stored:
they follow from the orders and holdings and are built again.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from blitz.paper.engine.accounts import Account, KeyFacts, SymbolSettings
from blitz.paper.engine.alerts import rearm
from blitz.paper.engine.codec import Row, decode, encode
from blitz.paper.engine.executions import ClosedPnl, Execution
from blitz.paper.engine.floor import Floor
from blitz.paper.engine.houses import HOUSES, HouseName
from blitz.paper.engine.klines import Bar
from blitz.paper.engine.market import Market
from blitz.paper.engine.orders import Order, StopMode
from blitz.paper.engine.positions import Holding
from blitz.paper.engine.refusals import SnapshotProblem
from blitz.paper.engine.registry import Registry
from blitz.paper.engine.tickers import FundingRate

VERSION = 1


def account_state(account: Account) -> Row:
    """Everything of an account but its append-only lists. Holds the secret: never show it."""
    return {
        "key": account.key,
        "secret": account.secret,
        "user_id": account.user_id,
        "deposited": str(account.deposited),
        "realised": str(account.realised),
        "fees": str(account.fees),
        "funding": str(account.funding),
        "house": account.house.name.value,
        "key_facts": encode(account.key_facts),
        "is_isolated": account.is_isolated,
        "isolated_symbols": list(account.isolated_symbols),
        "default_is_hedge": account.default_is_hedge,
        "settings": {symbol: encode(chosen) for symbol, chosen in account.settings.items()},
        "holdings": [[*slot, encode(holding)] for slot, holding in account.holdings.items()],
        "stop_modes": [[*slot, mode.value] for slot, mode in account.stop_modes.items()],
        "open": [encode(order) for order in account.open_orders()],
    }


def account_history(account: Account, *, closed_from: int, executions_from: int, closed_pnl_from: int) -> Row:
    """The append-only lists from the given indexes on."""
    return {
        "closed": [encode(order) for order in account.closed[closed_from:]],
        "executions": [encode(row) for row in account.executions[executions_from:]],
        "closed_pnl": [encode(row) for row in account.closed_pnl[closed_pnl_from:]],
    }


def venue_state(floor: Floor, *, with_bars: bool) -> Row:
    """Everything of a venue but its accounts. The public tape is not kept."""
    return {
        "version": VERSION,
        "seed": floor.ids.seed,
        "counter": floor.ids.counter,
        "id_regime": floor.id_regime.value,
        "max_fills": {key: str(quantity) for key, quantity in floor.max_fills.items()},
        "markets": {symbol: market_state(market, with_bars=with_bars) for symbol, market in floor.markets.items()},
    }


def market_state(market: Market, *, with_bars: bool) -> Row:
    """One market's own state."""
    return {
        "last": str(market.last),
        "mark_apart": _text(market.mark_apart),
        "funding_rate_fixed": _text(market.funding_rate_fixed),
        "next_funding_ms": market.next_funding_ms,
        "update_id": market.update_id,
        "first_level_notional": str(market.shape.first_level_notional),
        "spread_ticks": market.shape.spread_ticks,
        "funding_rates": [encode(rate) for rate in market.funding_rates],
        "holders": list(market.holders),
        "minutes": [bar.as_row() for bar in market.bars.minutes.all()] if with_bars else [],
        "hours": [bar.as_row() for bar in market.bars.hours.all()] if with_bars else [],
    }


def restore_market(market: Market, row: Row) -> None:
    """Read a market's own state back into a fresh market."""
    market.last = Decimal(row["last"])
    market.mark_apart = _number(row["mark_apart"])
    market.funding_rate_fixed = _number(row["funding_rate_fixed"])
    market.next_funding_ms = int(row["next_funding_ms"])
    market.update_id = int(row["update_id"])
    market.shape = type(market.shape)(
        first_level_notional=Decimal(row["first_level_notional"]), spread_ticks=int(row["spread_ticks"])
    )
    market.funding_rates.extend(decode(FundingRate, rate) for rate in row["funding_rates"])
    # Only for the order in which accounts are charged; an account saved later than the market adds itself.
    market.holders = dict.fromkeys(row["holders"])
    for series, rows in ((market.bars.minutes, row["minutes"]), (market.bars.hours, row["hours"])):
        for bar in rows:
            series.add_whole(Bar.from_row(bar))


def restore_account(floor: Floor, registry: Registry, state: Row, history: Row) -> Account:
    """Read one account back and put its orders, holdings and alerts into the markets."""
    account = Account(
        key=state["key"],
        secret=state["secret"],
        user_id=int(state["user_id"]),
        deposited=Decimal(state["deposited"]),
        realised=Decimal(state["realised"]),
        fees=Decimal(state["fees"]),
        funding=Decimal(state["funding"]),
        # A state from before there were two houses names none.
        house=HOUSES[HouseName(state.get("house", HouseName.BYBIT))],
        is_isolated=bool(state["is_isolated"]),
        key_facts=decode(KeyFacts, state["key_facts"]) if "key_facts" in state else KeyFacts(),
        isolated_symbols=dict.fromkeys(state.get("isolated_symbols", ())),
        default_is_hedge=bool(state["default_is_hedge"]),
        settings={symbol: decode(SymbolSettings, row) for symbol, row in state["settings"].items()},
        holdings={(symbol, idx): decode(Holding, row) for symbol, idx, row in state["holdings"]},
        stop_modes={(symbol, idx): StopMode(mode) for symbol, idx, mode in state["stop_modes"]},
        closed=[decode(Order, row) for row in history["closed"]],
        executions=[decode(Execution, row) for row in history["executions"]],
        closed_pnl=[decode(ClosedPnl, row) for row in history["closed_pnl"]],
    )
    floor.accounts[account.key] = account
    for order in account.closed:
        _note_link_id(account, order)
    for row in state["open"]:
        order = decode(Order, row)
        _note_link_id(account, order)
        registry.index(account, order)
    for symbol, position_idx in account.open_slots():
        market = floor.market(symbol)
        market.open_interest += account.holding(symbol, position_idx).size
        market.holders[account.key] = None
    rearm(floor, account)
    return account


def check_version(venue: Row) -> None:
    """Refuse a state another version wrote."""
    if venue.get("version") != VERSION:
        raise SnapshotProblem(f"stored state has version {venue.get('version')}, this venue reads {VERSION}")


def join_history(pieces: Sequence[dict[str, list[Any]]]) -> Row:
    """Put pieces of `account_history`, oldest first, together again."""
    names = ("closed", "executions", "closed_pnl")
    return {name: [row for piece in pieces for row in piece[name]] for name in names}


def _note_link_id(account: Account, order: Order) -> None:
    if order.link_id:
        account.used_link_ids[order.link_id] = None


def _text(number: Decimal | None) -> str | None:
    return None if number is None else str(number)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)

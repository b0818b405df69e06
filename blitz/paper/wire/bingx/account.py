"""Answers of `user/…`, and of what a client can set: leverage, margin type, position mode."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from blitz.paper.engine import Order, OrderStatus, Position, VenueRefusal
from blitz.paper.wire.bingx.envelope import PARAMETERS, WITHOUT_DATA
from blitz.paper.wire.bingx.rows import balance_rows, leverage_row, number, position_row
from blitz.paper.wire.bingx.symbols import needed_symbol, on_the_wire, wanted_symbol
from blitz.paper.wire.calls import Call
from blitz.paper.wire.key_facts import (
    READ,
    SPOT,
    SUB_TRANSFER,
    TRADE,
    UNIVERSAL_TRANSFER,
    WITHDRAW,
    bingx_addresses,
    bingx_numbers,
)
from blitz.paper.wire.text import JsonObject, plain

ALREADY_SO = frozenset({110025, 110026, 110043})
"""The engine's refusals of a setting that is set already. BingX has no such codes: it just agrees."""
KEY_CREATED_MS = 1_577_836_800_000
RESTING = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


def balance(call: Call) -> list[JsonObject]:
    """GET user/balance."""
    return balance_rows(call.seen.wallet(call.venue, call.account), call.account.user_id)


def positions(call: Call) -> list[JsonObject]:
    """GET user/positions: what is open, of one pair or of all."""
    symbol = wanted_symbol(call)
    found = call.seen.positions(call.venue, call.account, symbol)
    return [
        position_row(position, _available(position, call.seen.open_orders), call.account.user_id)
        for position in found
        if position.size
    ]


def _available(position: Position, open_orders: Sequence[Order]) -> Decimal:
    """What resting closing orders leave over."""
    taken = sum(
        (
            order.leaves_quantity
            for order in open_orders
            if order.reduce_only
            and order.status in RESTING
            and (order.symbol, order.position_idx) == (position.symbol, position.position_idx)
        ),
        Decimal(0),
    )
    return max(Decimal(0), position.size - taken)


def leverage(call: Call) -> JsonObject:
    """GET trade/leverage."""
    symbol = needed_symbol(call)
    largest = call.venue.terms(call.account, symbol).max_leverage
    return leverage_row(call.venue.settings(call.account, symbol), largest)


def set_leverage(call: Call) -> JsonObject:
    """POST trade/leverage: of one side in hedge mode, of both in one-way mode. The same once more is fine."""
    symbol, side = needed_symbol(call), call.params.text("side")
    wanted = call.params.decimal("leverage")
    if wanted is None or side not in ("LONG", "SHORT", "BOTH"):
        raise VenueRefusal(PARAMETERS, "Invalid parameters, err:leverage and side (LONG, SHORT or BOTH) are required")
    settings = call.venue.settings(call.account, symbol)
    if settings.is_hedge and side == "BOTH":
        message = "In the Hedge mode, the 'Side' field can only be set to LONG or SHORT."
        raise VenueRefusal(PARAMETERS, message)
    buy = settings.buy_leverage if settings.is_hedge and side == "SHORT" else wanted
    sell = settings.sell_leverage if settings.is_hedge and side == "LONG" else wanted
    _unless_so(lambda: call.venue.set_leverage(call.account, symbol, buy, sell, call.now_ms))
    return {"leverage": number(wanted), "symbol": on_the_wire(symbol)}


def margin_type(call: Call) -> JsonObject:
    """GET trade/marginType."""
    return {"marginType": "ISOLATED" if call.account.isolates(needed_symbol(call)) else "CROSSED"}


def set_margin_type(call: Call) -> JsonObject:
    """POST trade/marginType: of one pair. The same once more is fine."""
    symbol, word = needed_symbol(call), call.params.text("marginType")
    if word not in ("ISOLATED", "CROSSED"):
        raise VenueRefusal(PARAMETERS, "Invalid parameters, err:marginType: must be one of ISOLATED, CROSSED")
    isolated = word == "ISOLATED"
    _unless_so(lambda: call.venue.set_symbol_margin_mode(call.account, symbol, isolated=isolated, now_ms=call.now_ms))
    return WITHOUT_DATA


def position_mode(call: Call) -> JsonObject:
    """GET positionSide/dual."""
    return {"dualSidePosition": "true" if call.account.default_is_hedge else "false"}


def set_position_mode(call: Call) -> JsonObject:
    """POST positionSide/dual: of the whole account, refused (109400) with positions or orders."""
    word = call.params.text("dualSidePosition")
    if word not in ("true", "false"):
        raise VenueRefusal(PARAMETERS, "Invalid parameters, err:dualSidePosition: must be one of true, false")
    hedge = word == "true"
    _unless_so(
        lambda: call.venue.switch_position_mode(call.account, symbol=None, coin="USDT", hedge=hedge, now_ms=call.now_ms)
    )
    return {"dualSidePosition": word}


def _unless_so(change: Callable[[], None]) -> None:
    """Make a change that may have been made already."""
    try:
        change()
    except VenueRefusal as no:
        if no.code not in ALREADY_SO:
            raise


def commission_rate(call: Call) -> JsonObject:
    """GET user/commissionRate."""
    terms = call.venue.terms(call.account, wanted_symbol(call) or next(iter(call.venue.instruments)))
    rates = {
        "takerCommissionRate": number(terms.taker_fee_rate),
        "makerCommissionRate": number(terms.maker_fee_rate),
    }
    return {"commission": rates}


def api_permissions(call: Call) -> JsonObject:
    """GET v1/account/apiPermissions: what the key may do in numbers, and the addresses it is bound to."""
    facts = call.account.key_facts
    return {
        "apiKey": call.key,
        "note": "paper",
        "permissions": bingx_numbers(facts),
        "ipAddresses": bingx_addresses(facts),
    }


def api_restrictions(call: Call) -> JsonObject:
    """GET v1/account/apiRestrictions: the same as flags."""
    facts = call.account.key_facts
    granted = bingx_numbers(facts)
    return {
        "ipRestrict": bool(facts.ips),
        "createTime": KEY_CREATED_MS,
        "enableReading": READ in granted,
        "enableSpotAndMarginTrading": SPOT in granted,
        "enableFutures": TRADE in granted,
        "enableWithdrawals": WITHDRAW in granted,
        "enableInternalTransfer": SUB_TRANSFER in granted,
        "permitsUniversalTransfer": UNIVERSAL_TRANSFER in granted,
        "enableVanillaOptions": False,
    }


def maintenance_tiers(call: Call) -> list[JsonObject]:
    """GET maintMarginRatio: the risk tiers of a pair, lowest first."""
    symbol = needed_symbol(call)
    rows: list[JsonObject] = []
    above = Decimal(0)
    for number_of, tier in enumerate(call.venue.terms(call.account, symbol).tiers, start=1):
        rows.append(
            {
                "tier": f"Tier {number_of}",
                "symbol": on_the_wire(symbol),
                "minPositionVal": plain(above),
                "maxPositionVal": plain(tier.limit_value),
                "maintMarginRatio": f"{tier.maintenance_rate:.6f}",
                "maintAmount": f"{tier.deduction:.6f}",
            }
        )
        above = tier.limit_value
    return rows

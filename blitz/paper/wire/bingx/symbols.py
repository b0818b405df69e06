"""Names: BingX writes `BTC-USDT` where the engine says `BTCUSDT`, and sides of a position where it counts them."""

from blitz.paper.engine import Instrument, VenueRefusal
from blitz.paper.wire.bingx.envelope import PAIR_UNKNOWN, PARAMETERS
from blitz.paper.wire.calls import Call

QUOTE = "USDT"
SIDE_NAMES = {0: "BOTH", 1: "LONG", 2: "SHORT"}
SLOTS = {name: slot for slot, name in SIDE_NAMES.items()}


def on_the_wire(symbol: str) -> str:
    """`BTCUSDT` as `BTC-USDT`."""
    return f"{symbol.removesuffix(QUOTE)}-{QUOTE}"


def in_the_engine(name: str) -> str:
    """`BTC-USDT` as `BTCUSDT`; empty when it is no such name."""
    base, dash, quote = name.partition("-")
    return f"{base}{quote}" if dash and quote == QUOTE else ""


def wanted_symbol(call: Call) -> str:
    """The engine's name of the `symbol` parameter, or empty without one. Raises 109425 for a pair not listed."""
    name = call.params.text("symbol")
    if not name:
        return ""
    symbol = in_the_engine(name)
    if symbol not in call.venue.instruments:
        raise VenueRefusal(PAIR_UNKNOWN, f"{name} not exist, please verify it in the contract list")
    return symbol


def needed_symbol(call: Call) -> str:
    """The engine's name of the `symbol` parameter. Raises 109400 without one, 109425 for a pair not listed."""
    symbol = wanted_symbol(call)
    if not symbol:
        raise VenueRefusal(PARAMETERS, "Invalid parameters, err:symbol: This field is required")
    return symbol


def listed(call: Call) -> Instrument:
    """The market of the `symbol` parameter as everybody sees it."""
    return call.venue.instruments[needed_symbol(call)]

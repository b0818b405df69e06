"""The strip on every page that says whose money it is: of the cycle that is open, else of the stored settings."""

from blitz.core.ladder_settings import Mode
from blitz.storage.users import User
from blitz.web.language import said
from blitz.web.services import services

MODE_WORDS = {
    Mode.PAPER: "made-up money on the built-in exchange",
    Mode.DEMO: "the exchange's demo account, no real money",
    Mode.LIVE: "real money",
}
FEEDS = {
    "synthetic": "made-up prices",
    "candles": "prices from a file",
    "manual": "prices set by hand",
    "live": "an exchange's real prices",
}
TESTNET = "the exchange's testnet, no real money"
NOT_ARMED = "chosen, but you have not gone live: nothing is placed with real money"


def mode_strip(user: User) -> dict[str, str]:
    """`mode` for the colour, `words` for people."""
    status = services().manager.get_bot_status(user.id)
    is_trading = status.get("running") or status.get("cycle")
    running = Mode(status["mode"]) if is_trading and status.get("mode") else None
    return strip_of(user, running, str(status.get("exchange", "")) if running else "")


def stored_strip(user: User) -> dict[str, str]:
    """The same from the stored settings alone: for the page that tells of a fault, which may be the manager's."""
    return strip_of(user, None)


def strip_of(user: User, running: Mode | None, exchange: str = "") -> dict[str, str]:
    """The strip while a cycle of the user is in the mode `running` on `exchange`, or nothing is traded."""
    chosen = user.settings.mode
    mode = running or chosen
    if mode is Mode.LIVE and not running and not user.is_armed:
        words = [NOT_ARMED]
    elif mode is Mode.DEMO and user.settings.testnet and chosen is Mode.DEMO:
        words = [TESTNET]
    else:
        words = [MODE_WORDS[mode]]
    facts = services().facts
    feed = facts.get("paper_feed", "").partition(":")[0]
    if mode is Mode.PAPER and feed in FEEDS:
        words.append(FEEDS[feed])
    if mode is not Mode.PAPER and facts.get("rehearsal"):
        words.append(f"REHEARSAL at {facts['rehearsal']}: nothing here is real")
    if exchange not in ("", user.settings.exchange.value):
        words.append(f"the next cycle: {user.settings.exchange.label}, {chosen.value.upper()}")
    elif mode is not chosen:
        words.append(f"the next cycle: {chosen.value.upper()}")
    return {"mode": mode.value, "words": " · ".join(map(said, words))}

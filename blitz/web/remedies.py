"""What a trader can do about a position that is not certainly protected: one sentence for each cause."""

from collections.abc import Mapping

from blitz.bots.protection import CauseCode

REMEDIES: Mapping[str, str] = {
    CauseCode.BEING_PLACED: "If this lasts, press Recover, or close the position at the exchange.",
    CauseCode.BEING_MOVED: "If this lasts, press Recover, or close the position at the exchange.",
    CauseCode.REFUSED: "Watch the price; set right what the exchange names, or close the position there.",
    CauseCode.TOO_SMALL: "Close the rest by hand at the exchange; it is too small for an order of its own.",
    CauseCode.MARKET_CLOSED: "Nothing can be placed until the market trades again.",
    CauseCode.KEY_REJECTED: "Enter a valid key under Account; until then look after the position at the exchange.",
    CauseCode.UNANSWERED: "The bot goes on by itself; look at the exchange's own page if this lasts.",
    CauseCode.CANCELLED_BY_HAND: "Stop the bot first if you want to look after the position yourself.",
    CauseCode.IDS_AMBIGUOUS: "Stop the other server on this account, then press Recover.",
    CauseCode.CLOSING: "Look at the exchange's own page if this lasts, and close the position there.",
    CauseCode.EXCHANGE_UNREAD: "What rests there still rests; look at the exchange's own page.",
    CauseCode.BOOKS_DIFFER: "Look at position and orders at the exchange; nothing is sent until they agree.",
    CauseCode.JOURNAL_UNWRITTEN: "Make room on the server's disk; look after the position at the exchange until then.",
    CauseCode.IN_LINE: "It goes on by itself. If it happens often, too many bots share this server's address.",
    CauseCode.BOT_HANGS: "Look at the exchange's own page; if this lasts, restart the server.",
    CauseCode.STOPPED: "Press Start to have it protected, or close it at the exchange and press Recover.",
    CauseCode.STOPPED_WITH_LEGS: "Press Start, or take the legs back at the exchange.",
    CauseCode.SWITCHED_OFF: "Switch one on under Settings for the next cycle.",
    CauseCode.NOT_OURS: "Look after it yourself.",
}
"""What to do about each cause of an unprotected position."""

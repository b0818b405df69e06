"""The safety guards of the core: every place where a bot refuses to act on what it does not know, by name.

`BotMemory.keeps(guard)` is asked at each of them. In every real bot the answer is yes: nothing outside the simulator
ever builds a memory with a guard switched off. The simulator does, to prove that each one is needed: with it off, a
checker must go red within a bounded number of seeds. A guard that nothing catches would be a belief.
"""

from enum import StrEnum


class Guard(StrEnum):
    """One refusal to act. The sentence says what is refused."""

    FENCE = "fence"
    """An unanswered order is not called absent before its receive window, skew and read lag are over."""
    SECOND_LOOK = "second_look"
    """One lookup that finds nothing does not prove absence; two do."""
    DURABLE_INTENT = "durable_intent"
    """No order is sent before its intent is stored."""
    INTENT_STORED = "intent_stored"
    """An entry whose intent could not be stored is not sent."""
    FRESH_LOOK = "fresh_look"
    """An entry is not sent on a look that has grown old."""
    INTENT_EXPIRES = "intent_expires"
    """A decision that has grown old is not sent any more."""
    EXIT_FENCE = "exit_fence"
    """Where the venue lets ids repeat, an unanswered exit waits for the fence too."""
    DOUBTED_EXITS = "doubted_exits"
    """No cycle begins while an exit of the last one may still arrive."""
    SETTLED_FIRST = "settled_first"
    """No cycle ends, and none begins, while the fate of one of its orders is open."""
    TERMINAL_RECORD = "terminal_record"
    """An order that is not listed any more is not over before the venue says so."""
    FILLS_SUMMED = "fills_summed"
    """An order is not over before all its fills are booked."""
    COHERENT_PICTURE = "coherent_picture"
    """Nothing is decided while position and fills contradict each other."""
    ORDERS_COHERENT = "orders_coherent"
    """Nothing is decided while a listed order has filled more than the books know."""
    OLD_ORDERS = "old_orders"
    """An old order under the same id is not taken for the new one."""
    BURNT_IDS = "burnt_ids"
    """An id that is taken for good is not sent again."""
    EARLIER_FILLS = "earlier_fills"
    """A fill of an earlier cycle is not booked into this one, though its tag is the same."""
    FILLED_LEGS = "filled_legs"
    """What a leg has filled is not ordered again."""
    UNKNOWN_READS = "unknown_reads"
    """A read without an answer is not taken for an empty one."""
    OWN_TAGS = "own_tags"
    """An order is ours only when its tag names this user and this market."""
    TAG_FITS_ORDER = "tag_fits_order"
    """An order with our tag is ours only when its direction and kind are what the tag says."""
    ADOPTED_LEGS = "adopted_legs"
    """Right after a cycle was adopted no leg is sent: it may have filled, and no read show it yet."""
    FOREIGN_POSITION = "foreign_position"
    """A position that our fills do not explain is not traded."""
    RECOVER_CREATES = "recover_creates"
    """Recover cancels, amends and enters nothing."""
    STOP_SENDS_NOTHING = "stop_sends_nothing"
    """A stopping bot sends no new order."""
    EXIT_FITS = "exit_fits"
    """An exit follows the position's quantity."""
    BACK_OFF = "back_off"
    """A refused order waits before it is tried again."""
    SURPLUS = "surplus"
    """A second live order of one tag is taken back."""


class IdPolicy(StrEnum):
    """How an order gets its client id. Real bots have the first; the others are what it is compared with."""

    TAG = "tag"
    """The tag, with a generation only on proof; the same id after a timeout."""
    NEW_AFTER_TIMEOUT = "new_after_timeout"
    """An order without an answer gets another id."""
    TIME = "time"
    """Every try gets an id of its own."""

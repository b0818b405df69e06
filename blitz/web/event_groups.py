"""The kinds of lines of the feed, put together as a reader looks for them. Used by the routes of history."""

from collections.abc import Mapping

from blitz.core.records import EventKind

BY_SUBJECT: Mapping[str, frozenset[EventKind]] = {
    "cycles": frozenset(
        {
            EventKind.CYCLE_STARTED,
            EventKind.CYCLE_CLOSED,
            EventKind.CYCLE_CORRECTED,
            EventKind.CYCLE_ADOPTED,
            EventKind.CYCLE_GIVEN_UP,
        }
    ),
    "fills": frozenset(
        {
            EventKind.LEG_FILLED,
            EventKind.TRADED_BY_HAND,
            EventKind.LIQUIDATED,
            EventKind.DELEVERAGED,
            EventKind.FUNDING,
        }
    ),
    "orders": frozenset(
        {
            EventKind.ORDER_PLACED,
            EventKind.ORDER_MOVED,
            EventKind.ORDER_CANCELLED,
            EventKind.ORDER_REJECTED,
            EventKind.ORDER_UNKNOWN,
            EventKind.ORDER_GONE,
            EventKind.ORDER_ADOPTED,
        }
    ),
    "bot": frozenset(
        {
            EventKind.STARTED,
            EventKind.STOPPED,
            EventKind.RESUMED,
            EventKind.RECOVERED,
            EventKind.RULES_CHANGED,
            EventKind.ACCOUNT_CHANGED,
            EventKind.WENT_LIVE,
            EventKind.FAILED,
        }
    ),
    "protection": frozenset(
        {
            EventKind.ATTENTION,
            EventKind.ATTENTION_OVER,
            EventKind.UNPROTECTED,
            EventKind.PROTECTED_AGAIN,
        }
    ),
}
"""Every kind stands in exactly one of these."""
PROBLEMS = frozenset(
    {
        EventKind.TRADED_BY_HAND,
        EventKind.LIQUIDATED,
        EventKind.DELEVERAGED,
        EventKind.ORDER_REJECTED,
        EventKind.ORDER_UNKNOWN,
        EventKind.ORDER_GONE,
        EventKind.ATTENTION,
        EventKind.UNPROTECTED,
        EventKind.CYCLE_GIVEN_UP,
        EventKind.FAILED,
    }
)
"""What somebody may have to look after, whatever its subject."""
GROUPS: Mapping[str, frozenset[EventKind]] = {"problems": PROBLEMS, **BY_SUBJECT}

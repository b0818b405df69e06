"""Reads which account and which days a request means. Refuses with a sentence at the field that is wrong.

A day begins and ends with the midnights of a time zone: the one that is asked for, else the one that the user chose,
else UTC. Where the clocks are put forward over midnight, it begins with the first moment that it has.
"""

import zoneinfo
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache

from blitz.storage.history_filters import Span
from blitz.web.accounts import this_user
from blitz.web.errors import Problem
from blitz.web.history_schemas import AccountQuery, SpanIn
from blitz.web.language import preferences
from blitz.web.services import services

FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(9999, 12, 30)
"""Beyond these no zone has a moment that can be counted; nothing was traded there."""


def account_of(asked: AccountQuery) -> str:
    """The account that is meant, one of the user's own."""
    own = services().history.accounts(this_user().id)
    if asked.account is None:
        return own[0]
    if asked.account not in own:
        raise refusal("account", f"you have not traded there; choose one of {', '.join(own)}.")
    return asked.account


def zone_name(asked: SpanIn) -> str:
    """The zone whose days are meant."""
    name = asked.time_zone or preferences().time_zone or "UTC"
    if name != "UTC" and name not in zone_names():
        raise refusal("time_zone", "is not a time zone; choose one such as Asia/Seoul.")
    return name


def zone_of(asked: SpanIn) -> tzinfo:
    """The rules of that zone."""
    name = zone_name(asked)
    return UTC if name == "UTC" else zoneinfo.ZoneInfo(name)


def span_of(asked: SpanIn) -> Span:
    """From the beginning of the first day to the end of the last one."""
    zone, first, last = zone_of(asked), asked.from_day, asked.to_day
    if first and last and last < first:
        raise refusal("to", "this day is before the first one.")
    return Span(
        from_ms=None if first is None else midnight_ms(first, zone),
        to_ms=None if last is None else midnight_ms(min(last, LAST_DAY) + timedelta(days=1), zone),
    )


def reaches_now(span: Span) -> bool:
    """Whether the span has not ended yet."""
    return span.to_ms is None or span.to_ms > services().clock.now_ms()


def midnight_ms(day: date, zone: tzinfo) -> int:
    """The moment at which a day begins, milliseconds since the epoch."""
    day = min(max(day, FIRST_DAY), LAST_DAY)
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


@cache
def zone_names() -> frozenset[str]:
    """Every zone this machine knows; read from its disk once."""
    return frozenset(zoneinfo.available_timezones())


def refusal(field: str, sentence: str) -> Problem:
    """A field that cannot be used."""
    return Problem(400, "invalid_request", "The request has fields that cannot be used.", errors={field: [sentence]})

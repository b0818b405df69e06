"""Slows down guessing: so many sign-ins that failed within a minute, per account and per address. Used by web.

An attempt counts as failed from the moment it is let in until it has succeeded, so that many at once gain nothing.
"""

import hashlib
import ipaddress

from sqlalchemy import Connection, delete, insert, select

from blitz.clock import Clock
from blitz.storage.addresses import normal_email
from blitz.storage.database import Database
from blitz.storage.tables import sign_in_attempts as attempts

FAILURES_MAX = 5
WINDOW_MS = 60 * 1000
IPV6_NETWORK_BITS = 64
"""One household usually has so many bits of IPv6 addresses to itself; they count as one."""


class SignInThrottle:
    """The attempts table. Accounts are kept as hashes: an address that was mistyped is nobody's business."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def attempt(self, email: str, peer: str) -> int:
        """Ask to try a sign-in: 0 lets it in and counts it, anything else is the seconds to wait."""
        now = self._clock.now_ms()
        subjects = (_account(email), _network(peer))
        with self._db.write() as connection:
            connection.execute(delete(attempts).where(attempts.c.at_ms <= now - WINDOW_MS))
            wait_ms = max(_wait_ms(connection, subject, now) for subject in subjects)
            if wait_ms > 0:
                return -(-wait_ms // 1000)
            connection.execute(insert(attempts), [{"subject": subject, "at_ms": now} for subject in subjects])
        return 0

    def succeeded(self, email: str, peer: str) -> None:
        """The sign-in was right: its account starts afresh, its address gets this one attempt back.

        The address does not start afresh: whoever has one account could else go on guessing at others.
        """
        latest = select(attempts.c.id).where(attempts.c.subject == _network(peer))
        with self._db.write() as connection:
            connection.execute(delete(attempts).where(attempts.c.subject == _account(email)))
            one = connection.scalar(latest.order_by(attempts.c.id.desc()).limit(1))
            connection.execute(delete(attempts).where(attempts.c.id == one))


def _wait_ms(connection: Connection, subject: str, now: int) -> int:
    """How long until the oldest of the attempts that are too many leaves the window."""
    query = select(attempts.c.at_ms).where(attempts.c.subject == subject).order_by(attempts.c.at_ms.desc())
    nth = connection.scalar(query.offset(FAILURES_MAX - 1).limit(1))
    return 0 if nth is None else int(nth) + WINDOW_MS - now


def _account(email: str) -> str:
    return f"account:{hashlib.sha256(normal_email(email).encode('utf-8', 'replace')).hexdigest()}"


def _network(peer: str) -> str:
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return "peer:unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return f"peer:{ipaddress.ip_network((address, IPV6_NETWORK_BITS), strict=False)}"
        address = address.ipv4_mapped
    return f"peer:{address}"

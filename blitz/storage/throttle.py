"""Slows down guessing: so many sign-ins that failed within a minute, per account and per address. Used by web.

Against its account an attempt counts as failed from the moment it is let in until it has succeeded, so that many
guesses at once gain nothing. Against its address it counts once it has failed: a house full of traders may sign in at
the same moment.
"""

import hashlib
import ipaddress

from sqlalchemy import Connection, delete, insert, select

from blitz.clock import Clock
from blitz.storage.addresses import normal_email
from blitz.storage.database import Database
from blitz.storage.tables import sign_in_attempts as attempts

FAILURES_MAX = 5
"""Per account."""
ADDRESS_FAILURES_MAX = 60
"""Per address, which many people may share: mistakes at one account must not shut out the others."""
WINDOW_MS = 60 * 1000
IPV6_NETWORK_BITS = 64
"""One household usually has so many bits of IPv6 addresses to itself; they count as one."""


class SignInThrottle:
    """The attempts table. Accounts are kept as hashes: an address that was mistyped is nobody's business."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def attempt(self, email: str, peer: str) -> int:
        """Ask to try a sign-in: 0 lets it in, anything else is the seconds to wait.

        One that is let in counts against its account at once; `failed` or `succeeded` has to follow.
        """
        now, account = self._clock.now_ms(), _account(email)
        with self._db.write() as connection:
            connection.execute(delete(attempts).where(attempts.c.at_ms <= now - WINDOW_MS))
            wait_ms = max(
                _wait_ms(connection, account, FAILURES_MAX, now),
                _wait_ms(connection, _network(peer), ADDRESS_FAILURES_MAX, now),
            )
            if wait_ms > 0:
                return -(-wait_ms // 1000)
            connection.execute(insert(attempts).values(subject=account, at_ms=now))
        return 0

    def failed(self, peer: str) -> None:
        """An attempt that was let in was wrong: now it counts against its address too."""
        with self._db.write() as connection:
            connection.execute(insert(attempts).values(subject=_network(peer), at_ms=self._clock.now_ms()))

    def succeeded(self, email: str) -> None:
        """The sign-in was right: its account starts afresh.

        Its address does not: whoever has one account could else go on guessing at others.
        """
        with self._db.write() as connection:
            connection.execute(delete(attempts).where(attempts.c.subject == _account(email)))


def _wait_ms(connection: Connection, subject: str, most: int, now: int) -> int:
    """How long until the oldest of the attempts that are too many leaves the window."""
    query = select(attempts.c.at_ms).where(attempts.c.subject == subject).order_by(attempts.c.at_ms.desc())
    nth = connection.scalar(query.offset(most - 1).limit(1))
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

"""What every page says on top: `maintenance`, which keeps bots from being started, and a `banner`.

Every page asks with every request, so what was read is kept for a second; whoever changes a notice sees it at once.
"""

import threading
import time
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from blitz.clock import Clock
from blitz.errors import SettingsProblem
from blitz.storage.database import Database
from blitz.storage.tables import notices

KEPT_SECONDS = 1.0
MESSAGE_CHARACTERS_MAX = 300
MAINTENANCE = "maintenance"
BANNER = "banner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One sentence for everybody."""

    name: str
    message: str
    since_ms: int


class NoticeStore:
    """The notices table."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: tuple[float, dict[str, Notice]] | None = None

    def all(self) -> dict[str, Notice]:
        """Every notice that stands, by name; a second old at most."""
        with self._lock:
            kept = self._kept
        if kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS:
            return kept[1]
        with self._db.read() as connection:
            rows = connection.execute(select(notices)).all()
        found = {row.name: Notice(name=row.name, message=row.message, since_ms=row.since_ms) for row in rows}
        with self._lock:
            self._kept = (time.monotonic(), found)
        return found

    def maintenance(self) -> str:
        """Why no bot may be started now; empty when it may."""
        notice = self.all().get(MAINTENANCE)
        return notice.message if notice else ""

    def say(self, name: str, message: str) -> None:
        """Let a notice stand; an empty message takes it away. Raises `SettingsProblem` when it is too long."""
        text = " ".join(message.split())
        if len(text) > MESSAGE_CHARACTERS_MAX:
            raise SettingsProblem({"message": [f"is longer than {MESSAGE_CHARACTERS_MAX} characters."]})
        row = {"name": name, "message": text, "since_ms": self._clock.now_ms()}
        with self._db.write_durable() as connection:
            connection.execute(delete(notices).where(notices.c.name == name))
            if text:
                connection.execute(insert(notices).values(row))
        with self._lock:
            self._kept = None

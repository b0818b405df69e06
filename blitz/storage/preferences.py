"""How pages speak to a person: language, theme and time zone. Empty follows the browser. Used by web."""

import zoneinfo
from dataclasses import dataclass

from sqlalchemy import select, update

from blitz.errors import SettingsProblem
from blitz.storage.database import Database
from blitz.storage.tables import users

LANGUAGES = {"en": "English", "ko": "한국어"}
"""The languages of the pages, each by its own name."""
THEMES = ("light", "dark")
REGIONS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)
"""What the names of places begin with in the IANA database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a person chose; an empty text follows the browser."""

    language: str = ""
    theme: str = ""
    time_zone: str = ""
    """A name of the IANA database, such as Asia/Seoul."""


def offered_zones() -> list[str]:
    """The time zones that a page offers: places and UTC, not the database's old names and technical entries."""
    names = (name for name in zoneinfo.available_timezones() if name.partition("/")[0] in REGIONS)
    return ["UTC", *sorted(names)]


class PreferenceStore:
    """The columns of the users table that say how to speak to each."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, user_id: int) -> Preferences:
        """What this user chose; the browser's choices for one who does not exist."""
        own = users.c
        query = select(own.language, own.theme, own.time_zone).where(own.id == user_id)
        with self._db.read() as connection:
            row = connection.execute(query).first()
        return (
            Preferences()
            if row is None
            else Preferences(language=row.language, theme=row.theme, time_zone=row.time_zone)
        )

    def save(self, user_id: int, chosen: Preferences) -> None:
        """Store what was chosen. Raises `SettingsProblem` with every field that names what does not exist."""
        errors = {}
        if chosen.language not in ("", *LANGUAGES):
            errors["language"] = [f"choose one of {', '.join(LANGUAGES)}, or none to follow the browser."]
        if chosen.theme not in ("", *THEMES):
            errors["theme"] = [f"choose one of {', '.join(THEMES)}, or none to follow the browser."]
        if chosen.time_zone and chosen.time_zone not in zoneinfo.available_timezones():
            errors["time_zone"] = ["is not a time zone; choose one such as Asia/Seoul, or none to follow the browser."]
        if errors:
            raise SettingsProblem(errors)
        row = {"language": chosen.language, "theme": chosen.theme, "time_zone": chosen.time_zone}
        with self._db.write() as connection:
            connection.execute(update(users).where(users.c.id == user_id).values(row))

"""The state file: an SQLite database in which the venue survives `kill -9`.

The host saves before anything is answered. One transaction holds the changed accounts (small state rewritten, history
rows only appended) and the venue's own state, so the file is always one consistent moment. Written to the operating
system at each commit (WAL, synchronous NORMAL): a killed process loses nothing, a power cut may lose the last moments.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from blitz.paper.config import PaperStartError
from blitz.paper.engine import Account, Venue

FORMAT = "1"
HISTORY_LISTS = ("closed", "executions", "closed_pnl")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts (key TEXT PRIMARY KEY, place INTEGER NOT NULL, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (
    key TEXT NOT NULL, list TEXT NOT NULL, number INTEGER NOT NULL, entry BLOB NOT NULL, PRIMARY KEY (key, list, number)
) WITHOUT ROWID;
"""


class StateFile:
    """An open state file. Used from the thread that opened it, as the only process."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises `PaperStartError` when it cannot be used."""
        self._path = path
        self._written: dict[str, dict[str, int]] = {}
        try:
            path.touch(mode=0o600)
            self._database = sqlite3.connect(path, timeout=1, isolation_level=None)
            # Exclusive: a second paper exchange on the same file would quietly fork the books.
            for setting in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL"):
                self._database.execute(f"PRAGMA {setting}")
            self._database.executescript(_SCHEMA)
            self._check_format()
        except OSError as problem:
            raise PaperStartError(f"The state file {path} cannot be written: {problem.strerror}.") from None
        except sqlite3.Error as problem:
            raise PaperStartError(_open_problem(path, problem)) from None

    def _check_format(self) -> None:
        self._database.execute("INSERT OR IGNORE INTO facts VALUES ('format', ?)", (FORMAT,))
        found = self._fact("format")
        if found != FORMAT:
            raise PaperStartError(f"The state file {self._path} was written by another version; choose a new file.")

    def load(self) -> tuple[dict[str, Any], int, int] | None:
        """The saved venue snapshot, the venue time in ms and the replay cursor; None for a new file."""
        try:
            venue = self._fact("venue")
            if venue is None:
                return None
            snapshot = {"venue": orjson.loads(venue), "accounts": self._load_accounts()}
            return snapshot, int(self._fact("now_ms") or 0), int(self._fact("cursor") or 0)
        except (sqlite3.Error, ValueError) as problem:
            raise PaperStartError(f"The state file {self._path} is damaged ({problem}); move it away.") from None

    def _load_accounts(self) -> list[dict[str, Any]]:
        accounts = []
        for key, state in self._database.execute("SELECT key, state FROM accounts ORDER BY place"):
            history: dict[str, list[Any]] = {name: [] for name in HISTORY_LISTS}
            rows = self._database.execute("SELECT list, entry FROM history WHERE key = ? ORDER BY list, number", (key,))
            for name, entry in rows:
                history[name].append(orjson.loads(entry))
            self._written[key] = {name: len(entries) for name, entries in history.items()}
            accounts.append({"state": orjson.loads(state), "history": history})
        return accounts

    def _fact(self, name: str) -> Any:
        row = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def save(self, venue: Venue, changed: Sequence[str], now_ms: int, cursor: int, *, with_bars: bool = False) -> None:
        """Write the named accounts and the venue's state in one transaction. Price bars only `with_bars`."""
        facts = {
            "venue": orjson.dumps(venue.venue_state(with_bars=with_bars)),
            "now_ms": str(now_ms),
            "cursor": str(cursor),
        }
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())
            accounts = [account for account in map(venue.account, changed) if account is not None]
            counts = {account.key: self._save_account(venue, account, place) for place, account in enumerate(accounts)}
        # Only now, since a failed transaction wrote nothing.
        self._written.update(counts)

    def _save_account(self, venue: Venue, account: Account, place: int) -> dict[str, int]:
        written = self._written.get(account.key) or dict.fromkeys(HISTORY_LISTS, 0)
        history = venue.account_history(account, **{f"{name}_from": count for name, count in written.items()})
        state = orjson.dumps(venue.account_state(account))
        self._database.execute(
            "INSERT INTO accounts VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET state = excluded.state",
            (account.key, len(self._written) + place, state),
        )
        for name, entries in history.items():
            rows = [
                (account.key, name, number, orjson.dumps(entry))
                for number, entry in enumerate(entries, start=written[name])
            ]
            self._database.executemany("INSERT INTO history VALUES (?, ?, ?, ?)", rows)
        return {name: written[name] + len(history[name]) for name in HISTORY_LISTS}

    def close(self) -> None:
        """Close the file; everything saved is in it."""
        self._database.close()


def _open_problem(path: Path, problem: sqlite3.Error) -> str:
    if "locked" in str(problem):
        return f"The state file {path} is in use by another paper exchange; stop that one or choose another file."
    return f"The state file {path} cannot be used: {problem}."

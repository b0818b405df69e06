"""`run.py doctor`: looks at an installation and says what to do.

Called by the command line only. It looks: it makes no database, runs no migration and touches no order. It asks an
outside host for the time only when some trader has chosen that exchange's demo or live.
"""

import os
import re
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from blitz.core.ladder_settings import ExchangeName
from blitz.errors import BlitzError, DatabaseProblem, SecretUnreadable
from blitz.redaction import redact
from blitz.settings import Settings, settings_warnings

if TYPE_CHECKING:
    from blitz.storage.database import Database
    from blitz.storage.users import User, UserStore

ANSWER_SECONDS_MAX = 3
CLOCK_REMEDY = "set the clock by NTP; orders go by the exchange's own time, but logs and pages by this one"
CLOCK_SKEW_MS_MAX = 1_000  # the exchanges refuse a request that is stamped more than a second ahead
OLDEST_BELIEVABLE_MS = 1_767_225_600_000  # 2026-01-01: an earlier clock was never set


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the report. Something has to be done exactly when there is a `remedy`."""

    text: str
    remedy: str = ""


def run_doctor(settings: Settings) -> int:
    """Print every finding; 1 when something has to be done, else 0."""
    undone = 0
    for finding in findings(settings):
        click.echo(f"{'✗' if finding.remedy else '✓'} {finding.text}")
        if finding.remedy:
            undone += 1
            click.echo(f"    → {finding.remedy}")
    for warning in settings_warnings(settings):
        click.echo(f"! {warning}")
    click.echo("Everything is in order." if not undone else f"{undone} to be done.")
    return 1 if undone else 0


def findings(settings: Settings) -> Iterator[Finding]:
    """Look at everything, cheap and local things first."""
    yield from look_at_files(settings)
    yield from look_at_clock()
    yield from look_at_port(settings)
    yield from look_at_paper(settings)
    yield from look_at_database(settings)


def look_at_files(settings: Settings) -> Iterator[Finding]:
    """What is private is private, and folders can be written."""
    yield look_at_mode(settings.instance_path, 0o700, "The folder of the server's own files")
    yield look_at_mode(settings.key_path, 0o600, "The key file")
    if settings.secret_key and (settings.home / ".env").exists():
        yield look_at_mode(settings.home / ".env", 0o600, "The settings file")
    yield look_at_log_folder(settings.log_path.parent)


def look_at_mode(path: Path, mode: int, name: str) -> Finding:
    """Nobody but the owner may reach `path`; and the owner is who runs the server."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return Finding(text=f"{name} is made at the first start: {path}")
    except OSError as error:
        remedy = f"make {path} readable for this user"
        return Finding(text=f"{name} cannot be looked at: {error.strerror}", remedy=remedy)
    if found.st_uid != os.geteuid() and os.geteuid() != 0:
        return Finding(text=f"{name} belongs to another user: {path}", remedy=f"run as that user, or: chown {path}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        return Finding(text=f"{name} is open to other users of this machine", remedy=f"chmod {mode:o} {path}")
    return Finding(text=f"{name} is private: {path}")


def look_at_log_folder(folder: Path) -> Finding:
    """Logs go on without their file, but somebody should know."""
    nearest = next(each for each in (folder, *folder.parents) if each.exists())
    if os.access(nearest, os.W_OK | os.X_OK) and nearest.is_dir():
        return Finding(text=f"Logs can be written: {folder}")
    return Finding(text="Logs go to the console only", remedy=f"make {nearest} a folder that this user can write")


def look_at_clock() -> Iterator[Finding]:
    """A clock that was never set gets every request refused."""
    if time.time_ns() // 1_000_000 < OLDEST_BELIEVABLE_MS:
        yield Finding(text=f"The clock says {time.strftime('%Y-%m-%d')}", remedy="set the clock, best by NTP")
    else:
        yield Finding(text=f"The clock is set: {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC")


def look_at_port(settings: Settings) -> Iterator[Finding]:
    """The port is free, or it is Blitz itself that holds it."""
    place = f"{settings.web_host}:{settings.web_port}"
    try:
        address = socket.getaddrinfo(settings.web_host, settings.web_port, type=socket.SOCK_STREAM)[0]
        with socket.socket(address[0], address[1]) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address[4])
    except socket.gaierror:
        yield Finding(text=f"WEB_HOST={settings.web_host} is not a known name", remedy="set WEB_HOST to 127.0.0.1")
    except OSError as error:
        if answers(f"http://{place}/healthz"):
            yield Finding(text=f"The server is running on {place}")
        else:
            remedy = "end the program that holds it, or set another WEB_PORT"
            yield Finding(text=f"{place} cannot be used: {error.strerror}", remedy=remedy)
    else:
        yield Finding(text=f"{place} is free for the server")


def look_at_paper(settings: Settings) -> Iterator[Finding]:
    """The paper exchange is embedded, or the separate one answers and agrees on the time."""
    if settings.paper_url:
        yield look_at_venue("The paper exchange", settings.paper_url, ExchangeName.BYBIT, same_clock=False)
        return
    kind, _, argument = settings.paper_feed.partition(":")
    if kind == "candles" and not os.access(settings.home / Path(argument).expanduser(), os.R_OK):
        yield Finding(text=f"The candle file {argument} cannot be read", remedy="correct BLITZ_PAPER_FEED")
    else:
        yield Finding(text=f"The paper exchange is part of the server, its market is {settings.paper_feed}")


def look_at_venue(name: str, url: str, exchange: ExchangeName, *, same_clock: bool) -> Finding:
    """The exchange answers; and unless its clock is its own affair, ours agrees with it."""
    before = time.time_ns() // 1_000_000
    try:
        server_ms = server_time_ms(url, exchange)
    except OSError as error:
        reason = str(getattr(error, "reason", None) or error)
        known = re.search(r"\[Errno -?\d+\] ([A-Z][\w ]+)", reason)  # deep inside the library's account of itself
        reason = known[1] if known else reason
        remedy = f"check the network, and that {urlsplit(url).netloc} can be reached from here"
        return Finding(text=f"{name} does not answer at {url}: {reason}", remedy=remedy)
    except ValueError:
        return Finding(text=f"What answers at {url} is no exchange", remedy="correct the address")
    skew_ms = (before + time.time_ns() // 1_000_000) // 2 - server_ms
    if same_clock and abs(skew_ms) > CLOCK_SKEW_MS_MAX:
        return Finding(text=f"The clock is {skew_ms / 1000:+.1f} s off that of {name}", remedy=CLOCK_REMEDY)
    return Finding(text=f"{name} answers at {url}")


def server_time_ms(url: str, exchange: ExchangeName) -> int:
    """Ask a venue for its time. Raises `OSError` when it is away, `ValueError` for any other answer."""
    import requests

    from blitz.exchange.answers import Malformed
    from blitz.exchange.profiles import PROFILES

    profile = PROFILES[exchange]
    answer = requests.get(url + profile.time_path, timeout=ANSWER_SECONDS_MAX, allow_redirects=False)
    try:
        return profile.time_in(answer.json())
    except Malformed as problem:
        raise ValueError(f"no time in the answer of {url}") from problem


def answers(url: str) -> bool:
    """Say whether something at `url` says that it is well."""
    import requests

    try:
        return requests.get(url, timeout=ANSWER_SECONDS_MAX, allow_redirects=False).ok
    except OSError:
        return False


def look_at_database(settings: Settings) -> Iterator[Finding]:
    """The database opens, is whole and up to date, and each trader has what the bot needs."""
    from blitz.storage.database import Database

    if not settings.database_url and not settings.db_path.exists():
        yield Finding(text=f"The database is made at the first start: {settings.db_path}")
        return
    try:
        with closing(Database.open(settings.database, create=False)) as database:
            yield from look_into(database, settings)
    except DatabaseProblem as problem:
        remedy = "correct BLITZ_DB_PATH or BLITZ_DATABASE_URL, or put the last backup in its place"
        yield Finding(text=redact(" ".join(str(problem).split())), remedy=remedy)


def look_into(database: "Database", settings: Settings) -> Iterator[Finding]:
    """Whole, up to date, and then trader by trader."""
    current = is_current(database)
    problems = database.check()
    for problem in problems:
        yield Finding(text=problem, remedy="stop the server and put the last backup back")
    if problems:
        return
    yield Finding(text=f"The database is whole: {database.url}")
    if not current:
        yield Finding(text="The database is of an older version; the next start of the server brings it up to date")
        return
    yield from look_at_users(database, settings)


def is_current(database: "Database") -> bool:
    """Say whether the schema is the newest one this program knows. Raises `DatabaseProblem` when nothing answers."""
    from blitz.storage.migrations import known_versions

    with database.read() as connection:
        if not connection.dialect.has_table(connection, "alembic_version"):
            return False
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return bool(version == known_versions()[-1])


def look_at_users(database: "Database", settings: Settings) -> Iterator[Finding]:
    """Each trader's keys are there and can be read, and the exchanges in use answer."""
    from blitz.clock import SystemClock
    from blitz.logs import register_secret
    from blitz.storage.secrets import SecretBox, load_or_create_key
    from blitz.storage.users import UserStore

    if not settings.secret_key and not settings.key_path.exists():
        remedy = f"put {settings.key_path} back from the backup, or set BLITZ_SECRET_KEY as before"
        yield Finding(text="The key that opens the traders' secrets is gone", remedy=remedy)
        return
    try:
        key = load_or_create_key(settings.key_path, settings.secret_key)
        box = SecretBox(key, on_open=register_secret)
        users = UserStore(database, box, SystemClock())
        everybody = users.all()
    except BlitzError as problem:
        yield Finding(text=str(problem), remedy="do what this sentence says")
        return
    if not any(each.role == "admin" for each in everybody):
        remedy = "open the link that the server prints at its start, or: run.py user add EMAIL --admin"
        yield Finding(text="There is no admin yet", remedy=remedy)
    for user in everybody:
        yield look_at_keys(users, user)
    yield from look_at_exchanges({each.settings.account for each in everybody}, settings.rehearsal_url)


def look_at_exchanges(accounts: set[str], rehearsal_url: str | None) -> Iterator[Finding]:
    """The exchanges that some trader has chosen answer, or what stands in for them; paper is looked at by itself.

    `accounts`: `bybit:demo`, …
    """
    from blitz.exchange.profiles import PROFILES

    for account in sorted(accounts):
        exchange, _, kind = account.partition(":")
        host = PROFILES[ExchangeName(exchange)].hosts.get(kind)
        if host and rehearsal_url:
            host, kind = rehearsal_url, f"{kind} (a rehearsal)"
        if host:
            yield look_at_venue(f"{exchange} {kind}", host, ExchangeName(exchange), same_clock=True)


def look_at_keys(users: "UserStore", user: "User") -> Finding:
    """Paper needs no keys; demo and live do."""
    mode = user.settings.mode.value
    try:
        has_keys = users.credentials(user.id) is not None
    except SecretUnreadable as problem:
        return Finding(text=f"{user.email}: {problem}", remedy="enter the keys again on the settings page")
    if has_keys and mode == "live" and not user.is_armed:
        return Finding(text=f"{user.email}: chose live and has not gone live with the key {user.key_hint}")
    if has_keys:
        return Finding(text=f"{user.email}: trades {mode} with the key {user.key_hint}")
    if mode == "paper":
        return Finding(text=f"{user.email}: trades on paper, no keys needed")
    return Finding(text=f"{user.email}: no keys for {mode}", remedy="enter them on the settings page, or choose paper")

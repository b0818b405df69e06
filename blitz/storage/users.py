"""Users: who they are, what they chose, and their secrets, sealed.

Called by web, by the command line and by the manager of bots. Every method names the user it is about; none answers for
somebody else. Passwords are never stored, secrets never unsealed except to the caller that asks for that user's.
"""

import json
import secrets
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Delete, RowMapping, case, delete, func, insert, null, select, update
from sqlalchemy.exc import IntegrityError

from blitz.clock import Clock
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import DEFAULT_SETTINGS, ExchangeName, LadderSettings, Mode, parse_settings
from blitz.core.records import BotEvent
from blitz.errors import DatabaseProblem, SettingsProblem
from blitz.storage import going_live
from blitz.storage.addresses import EmailTaken, checked_email, normal_email
from blitz.storage.credentials import Telegram, checked_credential, checked_telegram, key_hint
from blitz.storage.database import Database
from blitz.storage.password_rules import password_problems
from blitz.storage.passwords import Passwords
from blitz.storage.secrets import SecretBox
from blitz.storage.tables import api_tokens, invitations, sessions, users

Role = Literal["trader", "admin"]

PAPER_KEY_BYTES = 9
PAPER_SECRET_BYTES = 24


class WeakPassword(SettingsProblem):
    """The password is too easy to guess."""


class LastAdmin(SettingsProblem):
    """Without this administrator nobody could look after the server."""

    def __init__(self) -> None:
        super().__init__({"active": ["This is the last administrator who can sign in; make another one first."]})


class UnknownUser(SettingsProblem):
    """No user has this number."""

    def __init__(self, user_id: int) -> None:
        super().__init__({"user_id": [f"There is no user {user_id}."]})


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user as everybody may see him; no secret is in here."""

    id: int
    email: str
    role: Role
    active: bool
    created_ms: int
    has_keys: bool
    """Both an API key and its secret are stored."""
    key_hint: str
    """`***` and the last four characters of the API key; empty without one."""
    settings: LadderSettings
    live_since_ms: int | None
    """When the trader went live with this key on this exchange; None when real money may not be traded."""

    @property
    def is_armed(self) -> bool:
        """Whether a bot may begin a cycle with real money."""
        return self.settings.mode is Mode.LIVE and self.live_since_ms is not None

    @property
    def is_admin(self) -> bool:
        """Say whether the user may see and command everybody's bots."""
        return self.role == "admin"


class _Field(NamedTuple):
    """A sealed column of a user, and its new value."""

    column: str
    value: str


class UserStore:
    """The users table."""

    def __init__(self, db: Database, box: SecretBox, clock: Clock, *, passwords: Passwords | None = None) -> None:
        self._db = db
        self._box = box
        self._clock = clock
        self._passwords = passwords or Passwords()

    def check_new(self, email: str, password: str, *, role: Role = "trader") -> str:
        """The stored form of the address of a user who could be created now.

        Raises `EmailTaken`, `ReservedEmail`, `WeakPassword` or `SettingsProblem`, each with its field.
        """
        normal = checked_email(email, role=role)
        _refuse_weak(password, normal)
        if self.by_email(normal) is not None:
            raise EmailTaken
        return normal

    def create(self, email: str, password: str, *, role: Role = "trader") -> User:
        """Make a user with the default settings. Raises as `check_new` does."""
        normal = checked_email(email, role=role)
        _refuse_weak(password, normal)
        row = {
            "email": normal,
            "password_hash": self._passwords.hash(password),
            "role": role,
            "active": True,
            "created_ms": self._clock.now_ms(),
            "api_key_hint": "",
            **_settings_row(DEFAULT_SETTINGS),
        }
        try:
            with self._db.write_durable() as connection:
                user_id = connection.execute(insert(users).values(row).returning(users.c.id)).scalar_one()
        except IntegrityError as error:  # asked last, so that an address that is taken costs a hash like any other
            raise EmailTaken from error
        return self._existing(user_id)

    def by_id(self, user_id: int) -> User | None:
        """The user with this number."""
        return self._one(users.c.id == user_id)

    def by_email(self, email: str) -> User | None:
        """The user with this address, in whatever spelling."""
        return self._one(users.c.email == normal_email(email))

    def all(self) -> list[User]:
        """Every user, oldest first."""
        with self._db.read() as connection:
            return [_user(row) for row in connection.execute(select(users).order_by(users.c.id)).mappings()]

    def count(self) -> int:
        """How many users there are."""
        with self._db.read() as connection:
            return connection.scalar(select(func.count()).select_from(users)) or 0

    def check_password(self, email: str, password: str) -> User | None:
        """The user who signs in, or None; it takes the same time for a wrong password and for an unknown address."""
        query = select(users.c.id, users.c.password_hash).where(users.c.email == normal_email(email), users.c.active)
        with self._db.read() as connection:
            row = connection.execute(query).first()
        if not self._passwords.check(None if row is None else row.password_hash, password) or row is None:
            return None
        if self._passwords.is_outdated(row.password_hash):
            self._change(row.id, password_hash=self._passwords.hash(password))
        return self.by_id(row.id)

    def set_password(self, user_id: int, password: str) -> None:
        """Give the user a new password and end every session and API token: whoever knew the old one is out.

        Raises `WeakPassword`, or `UnknownUser`.
        """
        everywhere = (delete(each).where(each.c.user_id == user_id) for each in (sessions, api_tokens))
        self._set_password(user_id, password, *everywhere)

    def change_password(self, user_id: int, password: str, *, keep_session: int) -> None:
        """Give the user a new password and end every other session. Raises as `set_password` does.

        API tokens stay: they are named and listed, and whoever is signed in ends them one by one.
        """
        others = delete(sessions).where(sessions.c.user_id == user_id, sessions.c.id != keep_session)
        self._set_password(user_id, password, others)

    def make_admin(self, user_id: int) -> None:
        """Give the user the administrator's role. Sessions end: a new role wants a new sign-in."""
        self._change_access(user_id, role="admin")

    def set_active(self, user_id: int, active: bool) -> None:
        """Let the user in, or keep him out: sessions end at once."""
        self._change_access(user_id, active=active)

    def disable(self, user_id: int) -> None:
        """Keep the user out, unless nobody could administer the server then. Raises `LastAdmin`, or `UnknownUser`."""
        others = select(users.c.id).where(users.c.role == "admin", users.c.active, users.c.id != user_id).exists()
        with self._db.write_durable() as connection:
            row = connection.execute(select(users.c.role, others.label("others")).where(users.c.id == user_id)).first()
            if row is None:
                raise UnknownUser(user_id)
            if row.role == "admin" and not row.others:
                raise LastAdmin
            connection.execute(update(users).where(users.c.id == user_id).values(active=False))
            connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
            connection.execute(_links_of(user_id))

    def check_password_rules(self, user: User, password: str) -> None:
        """Raise `WeakPassword` when this user may not have this password."""
        _refuse_weak(password, user.email)

    def save_settings(self, user_id: int, settings: LadderSettings) -> None:
        """Store what the trader chose; the bot takes it up with the next cycle.

        Another exchange, or another mode than live, takes back what going live allowed.
        """
        stays = (users.c.mode == Mode.LIVE.value) & (users.c.exchange == settings.exchange.value)
        armed = case((stays, users.c.live_since_ms), else_=null()) if settings.mode is Mode.LIVE else null()
        self._change(user_id, **_settings_row(settings), live_since_ms=armed)

    def go_live(self, user_id: int, checked: Credentials, exchange: ExchangeName, told: BotEvent) -> bool:
        """Remember that the trader went live, and tell it in the feed; see `storage.going_live`."""
        return going_live.go_live(self._db, self._box, user_id, checked, exchange, told)

    def credentials(self, user_id: int) -> Credentials | None:
        """The user's own keys, None unless both are stored. Raises `SecretUnreadable`."""
        opened = self._open(user_id, "api_key", "api_secret")
        return None if opened is None else Credentials(api_key=opened[0], api_secret=opened[1])

    def save_credentials(self, user_id: int, api_key: str | None, api_secret: str | None) -> None:
        """Store the user's keys; an empty string clears one, None leaves it. Raises `SettingsProblem`.

        Going live was for the keys before: it has to be done again.
        """
        row: dict[str, Any] = {}
        if api_key is not None:
            key = checked_credential("api_key", api_key)
            row |= self._sealed(user_id, _Field("api_key", key)) | {"api_key_hint": key_hint(key)}
        if api_secret is not None:
            secret = checked_credential("api_secret", api_secret)
            row |= self._sealed(user_id, _Field("api_secret", secret))
        if row:
            self._change(user_id, **row, live_since_ms=None)

    def telegram(self, user_id: int) -> Telegram | None:
        """Where the user wants to be told, None unless token and chat are stored. Raises `SecretUnreadable`."""
        opened = self._open(user_id, "telegram_token", "telegram_chat_id")
        return None if opened is None else Telegram(token=opened[0], chat_id=opened[1])

    def save_telegram(self, user_id: int, token: str | None, chat_id: str | None) -> None:
        """Store where the user wants to be told; an empty string clears, None leaves. Raises `SettingsProblem`."""
        checked = checked_telegram(token or "", chat_id or "")
        row: dict[str, Any] = {}
        if token is not None:
            row |= self._sealed(user_id, _Field("telegram_token", checked.token))
        if chat_id is not None:
            row |= self._sealed(user_id, _Field("telegram_chat_id", checked.chat_id))
        if row:
            self._change(user_id, **row)

    def paper_credentials(self, user_id: int) -> Credentials:
        """The keys of the user's paper account, made at random the first time. Raises `SecretUnreadable`."""
        stored = self._open(user_id, "paper_api_key", "paper_api_secret")
        if stored is None:
            key = _Field("paper_api_key", f"paper-{user_id}-{secrets.token_hex(PAPER_KEY_BYTES)}")
            secret = _Field("paper_api_secret", secrets.token_hex(PAPER_SECRET_BYTES))
            with self._db.write_durable() as connection:  # of two at once the first one's stay
                free = (users.c.id == user_id, users.c.paper_api_key.is_(None))
                connection.execute(update(users).where(*free).values(self._sealed(user_id, key, secret)))
            stored = self._open(user_id, "paper_api_key", "paper_api_secret")
        if stored is None:
            raise UnknownUser(user_id)
        return Credentials(api_key=stored[0], api_secret=stored[1])

    def _one(self, condition: ColumnElement[bool]) -> User | None:
        with self._db.read() as connection:
            row = connection.execute(select(users).where(condition)).mappings().first()
        return None if row is None else _user(row)

    def _set_password(self, user_id: int, password: str, *ending: Delete) -> None:
        """Store the password and end what `ending` ends, together; a link that would set another one ends too."""
        _refuse_weak(password, self._existing(user_id).email)
        hashed = self._passwords.hash(password)
        with self._db.write_durable() as connection:
            connection.execute(update(users).where(users.c.id == user_id).values(password_hash=hashed))
            for each in (*ending, _links_of(user_id)):
                connection.execute(each)

    def _existing(self, user_id: int) -> User:
        user = self.by_id(user_id)
        if user is None:
            raise UnknownUser(user_id)
        return user

    def _change(self, user_id: int, **values: object) -> None:
        with self._db.write_durable() as connection:
            if connection.execute(update(users).where(users.c.id == user_id).values(values)).rowcount != 1:
                raise UnknownUser(user_id)

    def _change_access(self, user_id: int, **values: object) -> None:
        with self._db.write_durable() as connection:
            if connection.execute(update(users).where(users.c.id == user_id).values(values)).rowcount != 1:
                raise UnknownUser(user_id)
            connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
            connection.execute(_links_of(user_id))

    def _sealed(self, user_id: int, *fields: _Field) -> dict[str, Any]:
        return {
            column: self._box.seal(value, table="users", user_id=user_id, column=column) if value else None
            for column, value in fields
        }

    def _open(self, user_id: int, *columns: str) -> list[str] | None:
        """The opened values of sealed columns, None unless all are stored."""
        with self._db.read() as connection:
            row = connection.execute(select(users).where(users.c.id == user_id)).mappings().first()
        if row is None or any(row[column] is None for column in columns):
            return None
        return [self._box.open(row[column], table="users", user_id=user_id, column=column) for column in columns]


def _links_of(user_id: int) -> Delete:
    """Ends every one-time link of the user's address: one that is lying about must not undo what was just decided."""
    address = select(users.c.email).where(users.c.id == user_id).scalar_subquery()
    return delete(invitations).where(invitations.c.email == address)


def _refuse_weak(password: str, email: str) -> None:
    problems = password_problems(password, email)
    if problems:
        raise WeakPassword({"password": problems})


def _settings_row(settings: LadderSettings) -> dict[str, Any]:
    """The documented columns of a user's settings."""
    row = settings.to_json()
    numbers = {name: getattr(settings, name) for name in ("leverage", "take_profit", "stop_loss")}
    return row | numbers | {"grids": json.dumps(row["grids"], separators=(",", ":"))}


def _user(row: RowMapping) -> User:
    return User(
        id=row["id"],
        email=row["email"],
        role=row["role"],
        active=row["active"],
        created_ms=row["created_ms"],
        has_keys=row["api_key"] is not None and row["api_secret"] is not None,
        key_hint=row["api_key_hint"],
        settings=_settings(row),
        live_since_ms=row["live_since_ms"],
    )


def _settings(row: RowMapping) -> LadderSettings:
    try:
        raw = {name: row[name] for name in DEFAULT_SETTINGS.to_json()}
        return parse_settings(raw | {"grids": json.loads(row["grids"])})
    except (ValueError, SettingsProblem) as problem:
        raise DatabaseProblem(f"The stored settings of user {row['id']} cannot be read: {problem}") from problem

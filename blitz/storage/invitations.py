"""One-time links: an invitation lets somebody new choose a password, a reset somebody who lost one. Used by web.

A link holds a random token; only its hash is stored. It is valid for seven days and works once.
"""

from dataclasses import dataclass

from sqlalchemy import RowMapping, delete, insert, select

from blitz.clock import Clock
from blitz.errors import SettingsProblem
from blitz.storage.addresses import EmailTaken, checked_email
from blitz.storage.database import Database
from blitz.storage.raw_tokens import hashed, new_token
from blitz.storage.tables import invitations
from blitz.storage.users import Role, User, UserStore

VALID_MS = 7 * 24 * 60 * 60 * 1000
RESET = ""
"""The role of a link that makes nobody new: it sets the password of whoever has the address."""


class LinkUsed(SettingsProblem):
    """The link was used, taken back, or is too old."""

    def __init__(self) -> None:
        super().__init__({"token": ["This link was used already, was taken back, or is older than seven days."]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A link that was not used yet."""

    id: int
    email: str
    role: str
    created_ms: int
    expires_ms: int

    @property
    def is_reset(self) -> bool:
        """Whether it sets the password of somebody who has an account."""
        return self.role == RESET


class Invitations:
    """The invitations table. A raw token is handed out once, never stored and never logged."""

    def __init__(self, db: Database, users: UserStore, clock: Clock) -> None:
        self._db = db
        self._users = users
        self._clock = clock

    def invite(self, email: str, role: Role) -> str:
        """A token for somebody new; earlier links of this address end. Raises `EmailTaken` or `SettingsProblem`."""
        normal = checked_email(email, role=role)
        if self._users.by_email(normal) is not None:
            raise EmailTaken
        return self._issue(normal, role)

    def reset(self, user: User) -> str:
        """A token that sets this user's password anew; earlier links of the address end."""
        return self._issue(user.email, RESET)

    def find(self, raw: str) -> Invitation | None:
        """The invitation of this token, while it may still be used."""
        own = invitations.c
        query = select(invitations).where(own.token_hash == hashed(raw), own.expires_ms > self._clock.now_ms())
        with self._db.read() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _invitation(row)

    def waiting(self) -> list[Invitation]:
        """Every link that may still be used, newest first."""
        own = invitations.c
        query = select(invitations).where(own.expires_ms > self._clock.now_ms()).order_by(own.id.desc())
        with self._db.read() as connection:
            return [_invitation(row) for row in connection.execute(query).mappings()]

    def take_back(self, invitation_id: int) -> Invitation | None:
        """End a link before it is used; None when there is none."""
        found = next((one for one in self.waiting() if one.id == invitation_id), None)
        with self._db.write_durable() as connection:
            ended = connection.execute(delete(invitations).where(invitations.c.id == invitation_id)).rowcount
        return found if ended else None

    def accept(self, raw: str, password: str) -> User:
        """Use the link: make the account, or set its password and end its sessions. Works once, whoever is first.

        Raises `WeakPassword` or `SettingsProblem` while the link stays, `LinkUsed` when it is over.
        """
        found = self.find(raw)
        if found is None:
            raise LinkUsed
        if found.is_reset:
            return self._accept_reset(raw, found, password)
        role: Role = "admin" if found.role == "admin" else "trader"
        self._users.check_new(found.email, password, role=role)  # before the link is spent
        self._spend(raw)
        return self._users.create(found.email, password, role=role)

    def _accept_reset(self, raw: str, found: Invitation, password: str) -> User:
        user = self._users.by_email(found.email)
        if user is None or not user.active:
            raise LinkUsed
        self._users.check_password_rules(user, password)
        self._spend(raw)
        self._users.set_password(user.id, password)
        return user

    def _spend(self, raw: str) -> None:
        own = invitations.c
        mine = (own.token_hash == hashed(raw), own.expires_ms > self._clock.now_ms())
        with self._db.write_durable() as connection:
            if connection.execute(delete(invitations).where(*mine)).rowcount != 1:
                raise LinkUsed

    def _issue(self, email: str, role: str) -> str:
        raw, now = new_token(), self._clock.now_ms()
        row = {
            "token_hash": hashed(raw),
            "email": email,
            "role": role,
            "created_ms": now,
            "expires_ms": now + VALID_MS,
        }
        own = invitations.c
        with self._db.write_durable() as connection:
            connection.execute(delete(invitations).where((own.email == email) | (own.expires_ms <= now)))
            connection.execute(insert(invitations).values(row))
        return raw


def _invitation(row: RowMapping) -> Invitation:
    return Invitation(**{name: row[name] for name in ("id", "email", "role", "created_ms", "expires_ms")})

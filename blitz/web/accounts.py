"""Who is asking: from a random cookie, or a program's token, to a user, through Flask-Login.

The cookie holds nothing but a random id. What it stands for is a row in the database (`SessionStore`), so signing
out ends it everywhere. Flask's own session is never stored: `BrowserSession` only derives the secret of the form
tokens from the same cookie, so that a token is worth nothing to anybody else.

A program sends `Authorization: Bearer …` instead, below /api/ only; then no cookie counts, whatever it holds.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any, cast

from flask import Flask, Request, Response, g, request
from flask.sessions import SessionInterface, SessionMixin
from flask_login import LoginManager, UserMixin, current_user
from flask_wtf.csrf import generate_csrf

from blitz.storage.api_tokens import Scope
from blitz.storage.users import User
from blitz.web.services import services

COOKIE = "blitz_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
RAW_ID_BYTES = 32
RAW_ID_CHARACTERS_MAX = 128
PROGRAMS_BELOW = "/api/"


class Account(UserMixin):  # type: ignore[misc]  # flask_login has no types
    """The signed-in user, as Flask-Login wants one."""

    def __init__(self, user: User, scope: Scope | None = None) -> None:
        """`scope` is what the API token may do that the user's program sent; None for a person with a cookie."""
        self.user = user
        self.id = user.id
        self.scope = scope

    @property
    def is_active(self) -> bool:
        """A disabled user is nobody."""
        return self.user.active

    @property
    def is_admin(self) -> bool:
        """Read from the database with every request, so a lost role is lost at once."""
        return self.user.role == "admin"


class BrowserSession(dict[str, Any], SessionMixin):
    """What Flask-WTF reads its secret from; lives for one request."""

    def __init__(self, raw_id: str, *, fresh: bool, key: str) -> None:
        secret = hmac.new(key.encode(), f"form:{raw_id}".encode(), hashlib.sha256).hexdigest()
        super().__init__(csrf_token=secret)
        self.raw_id = raw_id
        self.fresh = fresh


class CookieInterface(SessionInterface):
    """Reads the cookie; sets one only for a visitor who is shown a form."""

    def open_session(self, app: Flask, request: Request) -> BrowserSession:
        """Take the cookie's id, or make one for a new visitor."""
        raw_id = cookie_id(request)
        return BrowserSession(
            raw_id or secrets.token_urlsafe(RAW_ID_BYTES), fresh=not raw_id, key=cast(str, app.secret_key)
        )

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:  # noqa: ARG002
        """A form token was written into a page of a new visitor: without the cookie it could never be valid."""
        assert isinstance(session, BrowserSession)
        if session.fresh and "csrf_token" in g and COOKIE_CHANGED not in g:
            put_cookie(response, session.raw_id)


COOKIE_CHANGED = "blitz_cookie_changed"


def cookie_id(asked: Request) -> str:
    """The random id of the session cookie, empty without one. Under https only the `__Host-` cookie counts."""
    raw_id = asked.cookies.get(SECURE_COOKIE if asked.is_secure else COOKIE, "")
    return raw_id if len(raw_id) <= RAW_ID_CHARACTERS_MAX and raw_id.isascii() else ""


def put_cookie(response: Response, raw_id: str) -> None:
    """Hand out a session cookie. It ends with the browser; the row behind it ends after 12 idle hours."""
    setattr(g, COOKIE_CHANGED, True)
    secure = request.is_secure
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE, raw_id, httponly=True, samesite="Lax", secure=secure, path="/"
    )


def drop_cookie(response: Response) -> None:
    """Make the browser forget its session."""
    setattr(g, COOKIE_CHANGED, True)
    secure = request.is_secure
    response.delete_cookie(SECURE_COOKIE if secure else COOKIE, httponly=True, samesite="Lax", secure=secure, path="/")


def sign_in(response: Response, user: User) -> None:
    """Start a session under a new id, whatever id the visitor came with (fixation)."""
    old = cookie_id(request)
    if old:
        services().sessions.revoke(old)
    agent = request.headers.get("User-Agent", "")[:200]
    put_cookie(response, services().sessions.create(user.id, request.remote_addr or "", agent))


def current_account() -> Account | None:
    """Who is signed in, or None. A disabled user counts as nobody."""
    return cast(Account, current_user) if current_user.is_authenticated else None


def this_user() -> User:
    """The signed-in user; only for views whose policy asks for one."""
    account = current_account()
    assert account is not None, "the policy of this route lets nobody else in"
    return account.user


def form_token() -> str:
    """The token that forms and scripts of our pages send back."""
    return cast(str, generate_csrf())


def register(app: Flask) -> None:
    """Connect Flask-Login and the cookie with `app`."""
    app.session_interface = CookieInterface()
    manager = LoginManager()
    manager.session_protection = None
    # Another application on this host may have set its own remember-me cookie; ours does not exist.
    app.config["REMEMBER_COOKIE_NAME"] = "blitz_has_no_remember_cookie"
    manager.request_loader(_load)
    manager.init_app(app)


def bearer_token(asked: Request) -> str | None:
    """The token that a program sent, perhaps empty; None when it sent none, which another scheme is too."""
    scheme, _, raw = asked.headers.get("Authorization", "").strip().partition(" ")
    return raw.strip() if scheme.lower() == "bearer" else None


def still_signed_in() -> Callable[[], bool]:
    """A question for answers that last: is whoever asked still let in?"""
    parts, raw_token, raw_id = services(), bearer_token(request), cookie_id(request)
    if raw_token is not None:
        return lambda: parts.tokens.lookup(raw_token) is not None
    return lambda: parts.sessions.lookup(raw_id) is not None


def _load(asked: Request) -> Account | None:
    raw_token = bearer_token(asked)
    if raw_token is not None:
        return _of_token(raw_token) if asked.path.startswith(PROGRAMS_BELOW) and asked.blueprint != "pages" else None
    raw_id = cookie_id(asked)
    found = services().sessions.lookup(raw_id) if raw_id else None
    user = services().users.by_id(found.user_id) if found else None
    return Account(user) if user is not None and user.active else None


def _of_token(raw_token: str) -> Account | None:
    found = services().tokens.lookup(raw_token)
    user = services().users.by_id(found.user_id) if found else None
    return Account(user, found.scope) if found is not None and user is not None and user.active else None

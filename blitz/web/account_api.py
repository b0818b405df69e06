"""A user's own account: a look at the stored key, the password, sign-ins, API tokens, and how pages speak to the user.

Only for people with a cookie: an API token opens none of these routes. Keys and Telegram are stored by
`PUT /api/bot/settings`. A row that is somebody else's is as missing as one that never was.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import structlog
from apiflask import APIBlueprint
from flask import Response, abort, jsonify, make_response, request

from blitz.clock import iso_utc
from blitz.core.going_live import findings_json
from blitz.core.ladder_settings import plain
from blitz.errors import SettingsProblem
from blitz.storage.api_tokens import ApiToken, TooManyTokens
from blitz.storage.password_rules import password_problems
from blitz.storage.preferences import Preferences
from blitz.storage.sessions import Session
from blitz.web.account_schemas import (
    KeyCheckOut,
    NewTokenOut,
    PasswordIn,
    PreferencesIn,
    PreferencesOut,
    SaidOut,
    SignInsOut,
    TokenIn,
    TokensOut,
)
from blitz.web.accounts import cookie_id, put_cookie, this_user
from blitz.web.auth import PASSWORD_CHARACTERS_MAX, peer
from blitz.web.browsers import browser_of, system_of
from blitz.web.errors import Problem
from blitz.web.going_live import check_password
from blitz.web.language import said
from blitz.web.limits import COMMANDS, LIVE_CHECKS, NEW_TOKENS, SIGN_INS, at_most
from blitz.web.openapi import refusals
from blitz.web.schemas import NothingIn
from blitz.web.services import services

account = APIBlueprint("account", __name__, url_prefix="/api/account", tag="Account")
log = structlog.get_logger("blitz.web")

ROW_ID_MAX = 2**31


@account.post("/keys/test")
@at_most(LIVE_CHECKS)
@account.input(NothingIn)
@account.output(KeyCheckOut)
@account.doc(responses=refusals(409))
def check_keys(json_data: NothingIn) -> dict[str, Any]:  # noqa: ARG001
    """Ask the exchange of the settings about the stored key: does it work, what may it do, what is in its account.

    Sends no order. `refused` and `unknown` are answers like the others: what is stored stays stored.
    """
    user = this_user()
    found = services().keys.check(user.id)
    if found is None:
        sentence = "No key is stored; enter API key and API secret."
        raise Problem(400, "missing_credentials", sentence, errors={"api_key": [sentence]})
    balance = found.balance
    return {
        "success": True,
        "status": found.verdict.value,
        "message": said(found.message),
        "words": said(found.words),
        "exchange": user.settings.exchange.value,
        "mode": user.settings.mode.value,
        "testnet": user.settings.testnet,
        "key": user.key_hint,
        "findings": [each | {"message": said(each["message"])} for each in findings_json(found.findings)],
        "rights": None if found.rights is None else asdict(found.rights),
        "balance": balance and {"equity": plain(balance.equity), "available": plain(balance.available)},
    }


@account.post("/password")
@at_most(SIGN_INS)
@account.input(PasswordIn)
@account.output(SaidOut)
@account.doc(responses=refusals())
def change_password(json_data: PasswordIn) -> Response:
    """Change the password. Every other sign-in ends; this one goes on under a new cookie. API tokens stay.

    Wrong guesses at the current password are slowed down like those of the sign-in.
    """
    user, raw_id = this_user(), cookie_id(request)
    current, new = checked_passwords(json_data, user.email)
    check_password(user, current, "A change of the password failed.", field="current_password")
    here = services().sessions.lookup(raw_id)
    if here is None:
        raise Problem(401, "not_signed_in", "Sign in first.")
    services().users.change_password(user.id, new, keep_session=here.id)
    log.warning("A user changed the password.", action="password_changed", user_id=user.id, peer=peer())
    response = told("changed", "The password is changed. Every other sign-in has ended.")
    rotated = services().sessions.rotate(raw_id)
    if rotated is not None:
        put_cookie(response, rotated)
    return response


def checked_passwords(sent: PasswordIn, email: str) -> tuple[str, str]:
    """The current and the new password. Raises `Problem` 400 with everything that can be said without checking."""
    errors: dict[str, list[str]] = {}
    for name, value in texts(sent.model_dump()).items():
        if not value:
            errors[name] = ["Fill this in."]
        elif len(value) > PASSWORD_CHARACTERS_MAX:
            errors[name] = [f"Use at most {PASSWORD_CHARACTERS_MAX} characters."]
    if "new_password" not in errors:
        errors |= {"new_password": weak} if (weak := password_problems(sent.new_password, email)) else {}
    if not errors and sent.new_password != sent.repeat_password:
        errors["repeat_password"] = ["This is not the same as the new password."]
    if not errors and sent.new_password == sent.current_password:
        errors["new_password"] = ["This is the password that you have; choose another one."]
    if errors:
        raise Problem(400, "invalid_password", "The password cannot be changed; see the fields.", errors=errors)
    return sent.current_password, sent.new_password


@account.get("/sessions")
@account.output(SignInsOut)
@account.doc(responses=refusals())
def sign_ins() -> dict[str, Any]:
    """List where this user is signed in."""
    return {"rows": sign_in_rows(this_user().id)}


@account.delete("/sessions/<int:session_id>")
@at_most(COMMANDS)
@account.output(SaidOut)
@account.doc(responses=refusals(404))
def end_sign_in(session_id: int) -> Response:
    """End one sign-in of this user."""
    if session_id >= ROW_ID_MAX or not services().sessions.revoke_id(this_user().id, session_id):
        abort(404)
    return told("ended", "That sign-in has ended.")


@account.delete("/sessions")
@at_most(COMMANDS)
@account.output(SaidOut)
@account.doc(responses=refusals())
def end_other_sign_ins() -> Response:
    """End every sign-in of this user but the one that asks."""
    services().sessions.revoke_all(this_user().id, except_raw=cookie_id(request))
    return told("ended", "Every other sign-in has ended.")


def sign_in_rows(user_id: int) -> list[dict[str, Any]]:
    """The user's sign-ins as JSON."""
    here = services().sessions.lookup(cookie_id(request))
    return [sign_in_row(each, here) for each in services().sessions.for_user(user_id)]


def sign_in_row(session: Session, here: Session | None) -> dict[str, Any]:
    """One sign-in as JSON; `here` is the one that asks."""
    return {
        "id": session.id,
        "since": iso_utc(session.created_ms),
        "last_seen": iso_utc(session.seen_ms),
        "address": session.peer,
        "browser": browser_of(session.agent),
        "system": system_of(session.agent),
        "this_one": here is not None and session.id == here.id,
    }


@account.get("/tokens")
@account.output(TokensOut)
@account.doc(responses=refusals())
def tokens() -> dict[str, Any]:
    """List this user's API tokens, never what they are."""
    return {"rows": token_rows(this_user().id)}


@account.post("/tokens")
@at_most(NEW_TOKENS)
@account.input(TokenIn)
@account.output(NewTokenOut)
@account.doc(responses=refusals(409))
def make_token(json_data: TokenIn) -> dict[str, Any]:
    """Make an API token. It is answered this once and cannot be read again."""
    user = this_user()
    try:
        made, raw = services().tokens.create(user.id, **texts(json_data.model_dump()))
    except TooManyTokens as problem:
        raise Problem(409, "too_many_tokens", problem.errors["name"][0], errors=problem.errors) from problem
    except SettingsProblem as problem:
        raise Problem(
            400, "invalid_token", "This token cannot be made; see the fields.", errors=problem.errors
        ) from problem
    log.warning(
        "A user made an API token.", action="token_made", user_id=user.id, number=made.id, scope=made.scope.value
    )
    message = said("The token is made. Copy it now: it is not shown again.")
    return {"success": True, "status": "made", "message": message, "token": raw, "row": token_row(made)}


@account.delete("/tokens/<int:token_id>")
@at_most(COMMANDS)
@account.output(SaidOut)
@account.doc(responses=refusals(404))
def revoke_token(token_id: int) -> Response:
    """End an API token of this user at once."""
    if token_id >= ROW_ID_MAX or not services().tokens.revoke(this_user().id, token_id):
        abort(404)
    log.warning("A user revoked an API token.", action="token_revoked", user_id=this_user().id, number=token_id)
    return told("revoked", "The token is revoked; whatever uses it is shut out.")


def token_rows(user_id: int) -> list[dict[str, Any]]:
    """The user's API tokens as JSON."""
    return [token_row(each) for each in services().tokens.for_user(user_id)]


def token_row(token: ApiToken) -> dict[str, Any]:
    """One API token as JSON."""
    return {
        "id": token.id,
        "name": token.name,
        "scope": token.scope.value,
        "hint": token.hint,
        "created": iso_utc(token.created_ms),
        "last_used": None if token.used_ms is None else iso_utc(token.used_ms),
    }


@account.get("/preferences")
@account.output(PreferencesOut)
@account.doc(responses=refusals())
def read_preferences() -> dict[str, Any]:
    """Read how pages speak to this user."""
    return preferences_json(services().preferences.of(this_user().id))


@account.put("/preferences")
@at_most(COMMANDS)
@account.input(PreferencesIn)
@account.output(PreferencesOut)
@account.doc(responses=refusals())
def write_preferences(json_data: PreferencesIn) -> dict[str, Any]:
    """Choose language, theme and time zone; what is left out stays. With one wrong field nothing is stored."""
    user_id, store = this_user().id, services().preferences
    try:
        store.save(user_id, replace(store.of(user_id), **texts(json_data.given())))
    except SettingsProblem as problem:
        message = "These preferences cannot be stored; see the fields."
        raise Problem(400, "invalid_preferences", message, errors=problem.errors) from problem
    return preferences_json(store.of(user_id))


def preferences_json(chosen: Preferences) -> dict[str, Any]:
    """What was chosen, as JSON."""
    return asdict(chosen) | {"success": True}


def texts(sent: Mapping[str, Any]) -> dict[str, str]:
    """What was sent, when all of it is text. Raises `Problem` at each field that is not."""
    wrong = {name: ["must be a text."] for name, value in sent.items() if not isinstance(value, str)}
    if wrong:
        raise Problem(400, "invalid_request", "The request has fields that cannot be used.", errors=wrong)
    return dict(sent)


def told(status: str, message: str) -> Response:
    """What became of it, in the reader's language."""
    return make_response(jsonify(success=True, status=status, message=said(message)))

"""Going live: the one deliberate act before real money is traded, as JSON and as the words of its page.

The password is asked again, and guessing it is slowed down by the counters of the sign-in. It is checked and forgotten:
no log line, no answer and no row holds it.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import structlog
from apiflask import APIBlueprint

from blitz.clock import iso_utc
from blitz.core.going_live import Finding, LiveCheck, Stake, findings_json, stake_json
from blitz.storage.users import User
from blitz.web.accounts import this_user
from blitz.web.auth import check, peer
from blitz.web.errors import Problem
from blitz.web.language import said
from blitz.web.limits import LIVE_CHECKS, at_most
from blitz.web.openapi import refusals
from blitz.web.schemas import LiveIn, LiveOut
from blitz.web.services import services

live = APIBlueprint("live", __name__, url_prefix="/api/bot", tag="Settings")
log = structlog.get_logger("blitz.web")

CONFIRMATION = "live"
HTTP_STATUS = {"missing_credentials": 400, "unknown": 502}
"""Of refusals that are not 409."""


@live.get("/live")
@at_most(LIVE_CHECKS)
@live.output(LiveOut)
@live.doc(responses=refusals(502))
def look() -> dict[str, Any]:
    """Look at key and balance at the exchange, and at what the ladder would place and may cost. Changes nothing.

    With anything in `refusals` going live is not possible.
    """
    user = this_user()
    return live_json(user, services().live.check(user.id))


@live.post("/live")
@at_most(LIVE_CHECKS)
@live.input(LiveIn)
@live.output(LiveOut)
@live.doc(responses=refusals(409, 502))
def go(json_data: LiveIn) -> dict[str, Any]:
    """Go live: allow the bot to trade real money with the stored key.

    Asks for the password again and looks at everything once more. It holds until the key, the exchange or the mode
    changes. Sends no order: start the bot afterwards.
    """
    found = go_live(this_user(), json_data.password, json_data.confirm)
    user = services().users.by_id(this_user().id)
    assert user is not None
    return live_json(user, found)


def go_live(user: User, password: str, confirmation: str) -> LiveCheck:
    """Check the password, then everything else. Raises `Problem` unless the user is live now."""
    if confirmation != CONFIRMATION:
        sentence = f"Confirm with the word {CONFIRMATION}."
        raise Problem(400, "not_confirmed", sentence, errors={"confirm": [sentence]})
    check_password(user, password, "Going live failed at the password.")
    found = services().live.go(user.id, peer())
    if found.refusals:
        first = found.refusals[0]
        told = {"live": [each.message for each in found.refusals]}
        raise Problem(HTTP_STATUS.get(first.code, 409), first.code, first.message, errors=told)
    return found


def check_password(user: User, password: str, failed: str, *, field: str = "password") -> None:
    """Raise `Problem` unless this is the user's password, or while there were too many wrong ones.

    `failed` is the sentence of the log, `field` where the fault is said.
    """
    throttle = services().throttle
    wait = throttle.attempt(user.email, peer())
    if wait > 0:
        sentence = f"Too many failed attempts; try again in {wait} seconds."
        raise Problem(429, "too_many_attempts", sentence, headers={"Retry-After": str(wait)})
    known = check(user.email, password)
    if known is None or known.id != user.id:
        throttle.failed(peer())
        log.warning(failed, action="password_failed", user_id=user.id, peer=peer())
        sentence = "The password is wrong."
        raise Problem(403, "wrong_password", sentence, errors={field: [sentence]})
    throttle.succeeded(user.email)


def live_json(user: User, found: LiveCheck) -> dict[str, Any]:
    """What was found, and where the user stands."""
    status = "refused" if found.refusals else "live" if user.is_armed else "ready"
    return {
        "success": True,
        "status": status,
        "message": said(message_of(user, found)),
        "armed": user.is_armed,
        "live_since": live_since(user),
        "exchange": user.settings.exchange.value,
        "mode": user.settings.mode.value,
        "key": user.key_hint,
        "rights": None if found.rights is None else asdict(found.rights),
        "refusals": said_findings(found.refusals),
        "warnings": said_findings(found.warnings),
        **said_stake(found.stake),
    }


def said_findings(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """What was found, in the reader's language."""
    return [each | {"message": said(each["message"])} for each in findings_json(findings)]


def said_stake(stake: Stake | None) -> dict[str, Any]:
    """What the ladder may cost, in the reader's language; empty fields when nobody could say."""
    if stake is None:
        return dict.fromkeys(("balance", "worst_loss", "worst_case", "plan"))
    return stake_json(stake) | {"worst_case": said(stake.worst_case)}


def message_of(user: User, found: LiveCheck) -> str:
    """The outcome in a sentence."""
    if found.refusals:
        return found.refusals[0].message
    if user.is_armed:
        return "You are live: Start trades real money. Another key, exchange or mode takes this back."
    return "Nothing stands against it. Confirm with your password to go live."


def live_since(user: User) -> str | None:
    """When the user went live, UTC; None when the bot may not trade real money."""
    return iso_utc(user.live_since_ms) if user.is_armed and user.live_since_ms is not None else None

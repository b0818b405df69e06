"""A user's own settings and the preview of what they would do.

Ladder settings are read by `core.ladder_settings` and checked against the market by `core.preview`, the code that
runs again before a start. Credentials only ever go in.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import structlog
from apiflask import APIBlueprint

from blitz.bots.balances import KnownBalance
from blitz.core.credentials import Credentials
from blitz.core.ladder_settings import LadderSettings, Mode, parse_settings
from blitz.core.ladder_warnings import LadderWarning, ladder_warnings
from blitz.core.preview import preview_ladder
from blitz.errors import GatewayProblem, SecretUnreadable, SettingsProblem
from blitz.storage.credentials import KEY_PAIR, checked_credential, checked_telegram, joined_keys
from blitz.storage.users import User
from blitz.web.accounts import current_account, this_user
from blitz.web.errors import Problem
from blitz.web.going_live import live_since
from blitz.web.language import said
from blitz.web.limits import PREVIEWS, at_most
from blitz.web.market_view import balance_json, market_of
from blitz.web.mode_strip import mode_strip
from blitz.web.openapi import refusals
from blitz.web.schemas import LadderIn, PreviewOut, SettingsIn, SettingsOut
from blitz.web.services import services

log = structlog.get_logger("blitz.web")
ladder = APIBlueprint("ladder", __name__, url_prefix="/api/bot", tag="Settings")

CREDENTIALS = (*KEY_PAIR, "telegram_token", "telegram_chat_id")
READ_ONLY = frozenset(
    {"success", "message", "keys_stored", "telegram_stored", "takes_effect", "armed", "live_since", "strip"}
)
"""Answered by GET and ignored by PUT, so that an answer can be edited and sent back."""
UNASKED = "Saved. The exchange does not answer, so limits and keys will be checked when the bot starts."


@ladder.get("/settings")
@ladder.output(SettingsOut)
@ladder.doc(responses=refusals())
def read_settings() -> dict[str, Any]:
    """Read the settings of the signed-in user. Secrets are never part of the answer."""
    return settings_json(this_user())


@ladder.put("/settings")
@ladder.input(SettingsIn)
@ladder.output(SettingsOut)
@ladder.doc(responses=refusals(409))
def write_settings(json_data: SettingsIn) -> dict[str, Any]:
    """Change settings of the signed-in user; what is left out stays as it is.

    Everything is checked first: with one wrong field nothing is stored. While a cycle is open the change takes effect
    with the next one, and other keys are refused. API tokens change no credentials. In paper mode your own keys name
    your paper account, which exists from this moment. Clearing one of the keys clears both.
    """
    user = this_user()
    given = {name: value for name, value in json_data.given().items() if name not in READ_ONLY}
    credentials = {name: given.pop(name) for name in CREDENTIALS if name in given}
    if credentials.get("api_key") == user.key_hint != "":
        del credentials["api_key"]  # the mask that GET showed, sent back
    refuse_credentials_of_tokens(credentials)
    keys = stored_keys(user.id)
    problems = [*credential_faults(keys, credentials)]
    chosen = user.settings
    try:
        chosen = parse_settings(given, base=user.settings)
        services().desk.check_tags(user.id, chosen)
    except SettingsProblem as problem:
        problems.append(problem)
    if problems:
        raise SettingsProblem({field: faults for each in problems for field, faults in each.errors.items()})
    new_keys = joined_keys(keys, credentials)
    if new_keys != keys:
        refuse_during_cycle(user.id)
    is_asked = not given or check_against_market(chosen)
    if new_keys is not None and (credentials.keys() & set(KEY_PAIR) or chosen.account != user.settings.account):
        is_asked = open_account(chosen, new_keys) and is_asked
    store(user, chosen, credentials, new_keys)
    stored = services().users.by_id(user.id)
    assert stored is not None
    sentence = about_live(user, stored) or ("Saved." if is_asked else UNASKED)
    return {"success": True, "message": said(sentence), **settings_json(stored)}


@ladder.post("/preview")
@at_most(PREVIEWS)
@ladder.input(LadderIn)
@ladder.output(PreviewOut)
@ladder.doc(responses=refusals(502))
def preview(json_data: LadderIn) -> dict[str, Any]:
    """Lay a ladder out at the last price, with the code the bot trades by. Stores and sends nothing.

    Fields that are left out are taken from the stored settings. `balance` is what is known within a moment; `warnings`
    are what the market would take and a trader may not have meant.
    """
    user = this_user()
    settings = parse_settings(json_data.given(), base=user.settings)
    instrument, price = market_of(settings)
    known = services().desk.balance(user, settings)
    plan = preview_ladder(settings, instrument, price, balance=known.balance.equity if known.balance else None)
    return {
        "success": True,
        **plan.to_json(),
        "balance": balance_json(known),
        "warnings": [warning_json(each) for each in ladder_warnings(plan, free_of(user, known))],
    }


def free_of(user: User, known: KnownBalance) -> Decimal | None:
    """What the next cycle may use, USDT: what an open one binds is free again by then."""
    if known.balance is None:
        return None
    in_cycle = services().manager.get_bot_status(user.id).get("cycle")
    return known.balance.equity if in_cycle else known.balance.available


def warning_json(warning: LadderWarning) -> dict[str, Any]:
    """The API's form."""
    return {"code": warning.code, "field": warning.field, "leg": warning.leg, "message": said(warning.says)}


def refuse_credentials_of_tokens(credentials: dict[str, Any]) -> None:
    """Raise `Problem` 403 when a program with an API token sends credentials: a stolen token must not divert a bot."""
    account = current_account()
    if credentials and account is not None and account.scope is not None:
        said = "An API token changes no credentials; sign in with a browser."
        raise Problem(403, "token_not_taken", said, errors={name: [said] for name in credentials})


def stored_keys(user_id: int) -> Credentials | None:
    """The user's own keys; such as cannot be read are none, so that both must be entered anew."""
    try:
        return services().users.credentials(user_id)
    except SecretUnreadable:
        return None


def refuse_during_cycle(user_id: int) -> None:
    """On paper another key is another account, and the bot would not find its open cycle there.

    On an exchange an account has many keys over time, and one that has expired must be replaced while a cycle is open;
    so must one that is lost, on paper too.
    """
    if has_frozen_keys(user_id):
        sentence = (
            "A cycle is open on the account of the present API key. Stop the bot and close the position first, then "
            "change the key."
        )
        raise Problem(409, "cycle_open", sentence)


def has_frozen_keys(user_id: int) -> bool:
    """Whether a cycle is open that only the present key can go on with."""
    status = services().manager.get_bot_status(user_id)
    is_lost = (status.get("unfinished") or {}).get("key_lost")
    return bool(status.get("cycle")) and status.get("mode") == Mode.PAPER.value and not is_lost


def open_account(settings: LadderSettings, keys: Credentials) -> bool:
    """Have the paper account under these keys; False when the exchange does not answer, and the bot will do it."""
    try:
        services().desk.open_account(settings, keys)
    except GatewayProblem:
        return False
    return True


def credential_faults(keys: Credentials | None, credentials: dict[str, Any]) -> Iterator[SettingsProblem]:
    """What is wrong with the credentials that were sent; storage checks the same again when it takes them."""
    wrong = [*wrong_credentials(credentials)]
    yield from wrong
    if not wrong:
        try:
            joined_keys(keys, credentials)
        except SettingsProblem as problem:
            yield problem


def wrong_credentials(credentials: dict[str, Any]) -> Iterator[SettingsProblem]:
    """Those that no exchange or messenger gives out, each by itself."""
    for name, value in credentials.items():
        try:
            if not isinstance(value, str):
                raise SettingsProblem({name: ["must be a text; an empty one clears it."]})
            if name == "telegram_token":
                checked_telegram(value, "")
            elif name == "telegram_chat_id":
                checked_telegram("", value)
            else:
                checked_credential(name, value)
        except SettingsProblem as problem:
            yield problem


def check_against_market(settings: LadderSettings) -> bool:
    """Raise `SettingsProblem` for what the market would refuse; False when the exchange could not be asked."""
    try:
        instrument, price = market_of(settings)
    except GatewayProblem:
        return False
    preview_ladder(settings, instrument, price)
    return True


def store(user: User, settings: LadderSettings, credentials: dict[str, Any], keys: Credentials | None) -> None:
    """Write what was checked. Keys are written as a pair, so that two changes at once never mix theirs."""
    users = services().users
    if settings != user.settings:
        users.save_settings(user.id, settings)
    if credentials.keys() & set(KEY_PAIR):
        users.save_credentials(user.id, keys.api_key if keys else "", keys.api_secret if keys else "")
    if credentials.keys() & {"telegram_token", "telegram_chat_id"}:
        users.save_telegram(user.id, credentials.get("telegram_token"), credentials.get("telegram_chat_id"))


def about_live(before: User, after: User) -> str:
    """What a change means for real money; empty when it has nothing to do with it."""
    if before.is_armed and not after.is_armed:
        log.warning("Live trading was taken back.", action="left_live", user_id=after.id)
    if after.settings.mode is not Mode.LIVE or after.is_armed:
        return ""
    if before.is_armed:
        return "Saved. Live is chosen; nothing is placed with real money before you go live again with it."
    return "Saved. Live is chosen; nothing is placed with real money before you go live."


def settings_json(user: User) -> dict[str, Any]:
    """What a user may read back."""
    in_cycle = bool(services().manager.get_bot_status(user.id).get("cycle"))
    return {
        **user.settings.to_json(),
        "api_key": user.key_hint,
        "keys_stored": user.has_keys,
        "telegram_stored": has_telegram(user.id),
        "armed": user.is_armed,
        "live_since": live_since(user),
        "strip": mode_strip(user),
        "takes_effect": "next_cycle" if in_cycle else "now",
    }


def has_telegram(user_id: int) -> bool:
    """Whether a Telegram bot and chat are stored; one that cannot be read is stored too."""
    try:
        return services().users.telegram(user_id) is not None
    except SecretUnreadable:
        return True

"""Who may reach which route: one table for the whole server.

A route that is not in the table keeps the app from being built, so nobody can forget it. `enforce` runs before every
request, after the gate and the limits. What a policy cannot see (whose row an id names) does not exist here: views
only ever use the id of the signed-in user, and an admin's id from the path. An API token opens what `TOKEN_SCOPES`
names, and nothing else.
"""

import ipaddress
from enum import StrEnum

from flask import Flask, abort, request
from werkzeug.wrappers import Request

from blitz.storage.api_tokens import Scope
from blitz.web.accounts import bearer_token, current_account
from blitz.web.errors import Problem
from blitz.web.services import services

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
FORWARDING_HEADERS = (
    "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix",
    "X-Real-IP", "Via",
)  # fmt: skip


class Policy(StrEnum):
    """Who is let in."""

    PUBLIC = "public"
    """Everybody."""
    SIGNED_IN = "signed_in"
    """Every active user, admins included; sees only what is theirs."""
    ADMIN = "admin"
    """Admins; other users are told 403, strangers to sign in."""
    MACHINE = "machine"
    """A program on this very machine, or an admin; to everybody else the route does not exist."""


POLICIES: dict[str, Policy] = {
    "static": Policy.PUBLIC,
    "openapi.spec": Policy.PUBLIC,
    "pages.api_docs": Policy.PUBLIC,
    "diagnostics.healthz": Policy.PUBLIC,
    "diagnostics.readyz": Policy.PUBLIC,
    "diagnostics.metrics": Policy.MACHINE,
    "diagnostics.debug_db": Policy.MACHINE,
    "auth.login": Policy.PUBLIC,
    "auth.register": Policy.PUBLIC,
    "auth.setup": Policy.PUBLIC,
    "auth.logout": Policy.PUBLIC,
    "pages.control": Policy.SIGNED_IN,
    "pages.settings": Policy.SIGNED_IN,
    "pages.live": Policy.SIGNED_IN,
    "pages.history": Policy.SIGNED_IN,
    "pages.account": Policy.SIGNED_IN,
    "pages.admin_console": Policy.ADMIN,
    "bot.start": Policy.SIGNED_IN,
    "bot.stop": Policy.SIGNED_IN,
    "bot.status": Policy.SIGNED_IN,
    "bot.recover": Policy.SIGNED_IN,
    "bot.give_up": Policy.SIGNED_IN,
    "bot.events": Policy.SIGNED_IN,
    "ladder.read_settings": Policy.SIGNED_IN,
    "ladder.write_settings": Policy.SIGNED_IN,
    "ladder.preview": Policy.SIGNED_IN,
    "ladder_tools.generate_ladder": Policy.SIGNED_IN,
    "ladder_tools.import_ladder": Policy.SIGNED_IN,
    "ladder_tools.presets": Policy.SIGNED_IN,
    "ladder_tools.market": Policy.SIGNED_IN,
    "ladder_tools.markets": Policy.SIGNED_IN,
    "live.look": Policy.SIGNED_IN,
    "live.go": Policy.SIGNED_IN,
    "history.orders": Policy.SIGNED_IN,
    "history.fills": Policy.SIGNED_IN,
    "history.cycles": Policy.SIGNED_IN,
    "history.cycle": Policy.SIGNED_IN,
    "history.statistics": Policy.SIGNED_IN,
    "history.feed": Policy.SIGNED_IN,
    "history.equity": Policy.SIGNED_IN,
    "history.candles": Policy.SIGNED_IN,
    "account.check_keys": Policy.SIGNED_IN,
    "account.change_password": Policy.SIGNED_IN,
    "account.sign_ins": Policy.SIGNED_IN,
    "account.end_sign_in": Policy.SIGNED_IN,
    "account.end_other_sign_ins": Policy.SIGNED_IN,
    "account.tokens": Policy.SIGNED_IN,
    "account.make_token": Policy.SIGNED_IN,
    "account.revoke_token": Policy.SIGNED_IN,
    "account.read_preferences": Policy.SIGNED_IN,
    "account.write_preferences": Policy.SIGNED_IN,
    "admin.simple_status": Policy.ADMIN,
    "admin.force_start": Policy.ADMIN,
    "admin.force_stop": Policy.ADMIN,
    "admin.reconcile": Policy.ADMIN,
    "pages.admin_person": Policy.ADMIN,
    "people.listed": Policy.ADMIN,
    "people.live": Policy.ADMIN,
    "people.ids": Policy.ADMIN,
    "people.selection": Policy.ADMIN,
    "people.one": Policy.ADMIN,
    "people.create": Policy.ADMIN,
    "people.invitations": Policy.ADMIN,
    "people.invite": Policy.ADMIN,
    "people.take_back": Policy.ADMIN,
    "people.reset_link": Policy.ADMIN,
    "people.access": Policy.ADMIN,
    "commands.run": Policy.ADMIN,
    "admin_server.overview": Policy.ADMIN,
    "admin_server.say": Policy.ADMIN,
    "admin_server.acts": Policy.ADMIN,
    "admin_server.problems": Policy.ADMIN,
    "notices.told_to_all": Policy.PUBLIC,
    "invite.accept": Policy.PUBLIC,
    # The old routes only point somewhere else; where they point to has its own policy.
    "legacy.force_refresh": Policy.PUBLIC,
    "legacy.single_refresh": Policy.PUBLIC,
    "legacy.clear_force_refresh": Policy.PUBLIC,
    "legacy.exit_and_stop": Policy.PUBLIC,
}


TOKEN_SCOPES: dict[str, Scope] = {
    "bot.status": Scope.READ,
    "bot.events": Scope.READ,
    "bot.start": Scope.CONTROL,
    "bot.stop": Scope.CONTROL,
    "bot.recover": Scope.CONTROL,
    "bot.give_up": Scope.CONTROL,
    "ladder.read_settings": Scope.READ,
    "ladder.write_settings": Scope.CONTROL,
    "ladder.preview": Scope.CONTROL,
    "ladder_tools.generate_ladder": Scope.CONTROL,
    "ladder_tools.import_ladder": Scope.CONTROL,
    "ladder_tools.presets": Scope.CONTROL,
    "ladder_tools.market": Scope.READ,
    "ladder_tools.markets": Scope.READ,
    "live.look": Scope.READ,
    "history.orders": Scope.READ,
    "history.fills": Scope.READ,
    "history.cycles": Scope.READ,
    "history.feed": Scope.READ,
    "history.equity": Scope.READ,
    "history.candles": Scope.READ,
    "history.cycle": Scope.READ,
    "history.statistics": Scope.READ,
}
"""What a token needs at least. A route that is not here takes none: going live, the account, administration."""


def register(app: Flask) -> None:
    """Connect the table with `app`: after the limits, so that guessing at tokens is counted like everything else."""
    app.before_request(enforce)


def refuse_undeclared_routes(app: Flask) -> None:
    """Raise `LookupError` when a route has no policy, or a policy no route."""
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    if routes != POLICIES.keys():
        raise LookupError(f"routes and policies differ in: {sorted(routes ^ POLICIES.keys())}")


def enforce() -> None:
    """Let the current request through, or raise what its sender may know about it."""
    if request.endpoint is None:
        return
    policy = POLICIES[request.endpoint]
    if policy is Policy.PUBLIC:
        return
    account = current_account()
    if policy is Policy.MACHINE:
        if is_this_machine(request) or (account is not None and account.is_admin):
            return
        abort(404)
    if account is None:
        raise _stranger()
    if account.scope is not None:
        _check_token(account.scope)
    if policy is Policy.ADMIN and not account.is_admin:
        raise Problem(403, "forbidden", "This is for administrators.")


def _stranger() -> Problem:
    """What somebody is told who is not signed in, or whose token is none."""
    if bearer_token(request) is None:
        return Problem(401, "not_signed_in", "Sign in first.")
    said = "This API token is not valid here: it was revoked, or copied wrongly, or this is no route of the API."
    return Problem(401, "invalid_token", said, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def _check_token(scope: Scope) -> None:
    """Raise `Problem` 403 unless a token with this scope opens the route that is asked."""
    needed = TOKEN_SCOPES.get(request.endpoint or "")
    if needed is None:
        raise Problem(403, "token_not_taken", "No API token opens this; sign in with a browser.")
    if needed is Scope.CONTROL and scope is Scope.READ:
        said = "This API token may only read; make one that may control."
        raise Problem(403, "token_may_only_read", said)


def is_this_machine(asked: Request) -> bool:
    """Whether a program on this machine asks: loopback peer and host, nothing forwarded, no page behind it.

    With trusted proxies configured the peer is only what a proxy says, so the short cut is off.
    """
    if services().settings.trusted_proxies:
        return False
    if any(name in asked.headers for name in (*FORWARDING_HEADERS, "Origin")):
        return False
    if asked.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return False
    return is_loopback(asked.remote_addr or "") and host_name(asked.headers.get("Host", "")) in LOOPBACK_HOSTS


def is_loopback(address: str) -> bool:
    """Whether `address` is one of this machine's own loopback addresses."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def host_name(host: str) -> str:
    """The host of a Host header without its port, lower case; an IPv6 address keeps its brackets."""
    name, separator, port = host.lower().rpartition(":")
    return name if separator and port.isdigit() and (not name.startswith("[") or name.endswith("]")) else host.lower()

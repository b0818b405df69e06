"""Who may reach which route: one table for the whole server.

A route that is not in the table keeps the app from being built, so nobody can forget it. `enforce` runs before every
request, after the gate. What a policy cannot see (whose row an id names) does not exist here: views only ever use
the id of the signed-in user, and an admin's id from the path.
"""

import ipaddress
from enum import StrEnum

from flask import Flask, abort, request
from werkzeug.wrappers import Request

from blitz.web.accounts import current_account
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
    "admin.simple_status": Policy.ADMIN,
    "admin.force_start": Policy.ADMIN,
    "admin.force_stop": Policy.ADMIN,
    "admin.reconcile": Policy.ADMIN,
    # The old routes only point somewhere else; where they point to has its own policy.
    "legacy.force_refresh": Policy.PUBLIC,
    "legacy.single_refresh": Policy.PUBLIC,
    "legacy.clear_force_refresh": Policy.PUBLIC,
    "legacy.exit_and_stop": Policy.PUBLIC,
}


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
        raise Problem(401, "not_signed_in", "Sign in first.")
    if policy is Policy.ADMIN and not account.is_admin:
        raise Problem(403, "forbidden", "This is for administrators.")


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

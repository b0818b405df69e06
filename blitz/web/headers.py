"""What happens to every request before its view, and to every answer after it.

Before: which host was meant, the same-origin gate, the form token. After: the security headers. The limits and the
route's policy come next (`limits`, `policy`).
"""

import ipaddress
import secrets

from flask import Flask, Response, abort, g, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from blitz.settings import Settings
from blitz.web import gate, policy
from blitz.web.errors import Problem
from blitz.web.services import services

FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
HSTS_SECONDS = 31_536_000
TOKEN_HEADERS = ("X-CSRFToken", "X-CSRF-Token")
FIXED_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

csrf = CSRFProtect()


def register(app: Flask) -> None:
    """Connect the checks and the headers with `app`, in the order they must run."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # `check_origin` decides when a token is needed
    app.config["WTF_CSRF_SSL_STRICT"] = False  # the gate compares origins; a missing referrer proves nothing
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # a token ends with the session it belongs to
    csrf.init_app(app)
    app.before_request(check_host)
    app.before_request(check_origin)
    app.after_request(add_headers)
    app.jinja_env.globals["csp_nonce"] = nonce


def check_host() -> None:
    """Refuse a Host we do not go by: a name that somebody points at this machine would be our origin (rebinding)."""
    if not host_is_ours(request.headers.get("Host", ""), services().settings):
        abort(421)


def host_is_ours(host: str, settings: Settings) -> bool:
    """Whether a Host header names this server.

    Loopback names always do, and what BLITZ_ALLOWED_HOSTS lists (`*.` or a leading dot stands for subdomains, a port
    must match when given). A server bound to another address than loopback also answers to any literal IP
    address as long as the list is empty: rebinding needs a name, and an address cannot be pointed elsewhere.
    """
    name = policy.host_name(host)
    if name in policy.LOOPBACK_HOSTS or name == settings.web_host:
        return True
    for allowed in settings.allowed_hosts:
        bare = policy.host_name(allowed)
        wanted = host.lower() if bare != allowed else name
        if wanted == allowed or (allowed.startswith(("*.", ".")) and wanted.endswith(allowed.removeprefix("*"))):
            return True
    return settings.is_public and not settings.allowed_hosts and _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def check_origin() -> None:
    """Pass the request through the gate, then check the form token where one is sent or needed."""
    verdict = gate.judge(
        method=request.method,
        sec_fetch_site=request.headers.get("Sec-Fetch-Site"),
        origin=request.headers.get("Origin"),
        own_origin=f"{request.scheme}://{request.host}",
    )
    if not verdict.passes:
        raise Problem(403, "cross_site", "This request came from another site and was refused.")
    if verdict is gate.Verdict.SAFE_METHOD:
        return
    request.get_data(cache=True)  # looking for a form field must not eat the JSON that `curl -d` sends as a form
    is_form = request.mimetype in FORM_TYPES
    is_sent = any(name in request.headers for name in TOKEN_HEADERS) or (is_form and "csrf_token" in request.form)
    if is_sent or (is_form and verdict.is_browser):
        try:
            csrf.protect()
        except CSRFError as error:
            sentence = "The form is out of date or came from elsewhere; reload the page and try again."
            raise Problem(400, "csrf_token_invalid", sentence) from error


def nonce() -> str:
    """The random word of this answer that its own scripts carry."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def content_security_policy() -> str:
    """Only our own files, only scripts that this page named, no frames, no plug-ins, no inline anything."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce()}'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "font-src 'self'",
            "form-action 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def add_headers(response: Response) -> Response:
    """Add what every answer carries."""
    for name, value in FIXED_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", content_security_policy())
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={HSTS_SECONDS}")
    return response

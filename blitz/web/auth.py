"""Signing in and out, opening an account, and the first administrator.

Each of these works from a browser's form and from `curl -d`: a program gets JSON, a person a page. An unknown
address and a wrong password get the same answer in the same time.
"""

from typing import Any

import structlog
from apiflask import APIBlueprint
from flask import Response, jsonify, make_response, redirect, render_template, request

from blitz.errors import SettingsProblem
from blitz.storage.users import User
from blitz.web.accounts import cookie_id, current_account, drop_cookie, sign_in
from blitz.web.errors import Problem, error_body, wants_json
from blitz.web.language import said
from blitz.web.limits import NEW_ACCOUNTS, SIGN_INS, at_most
from blitz.web.services import services

auth = APIBlueprint("auth", __name__, enable_openapi=False)
log = structlog.get_logger("blitz.web")

EMAIL_CHARACTERS_MAX = 254
PASSWORD_CHARACTERS_MAX = 1024
WRONG = "The e-mail address or the password is wrong."


@auth.route("/login", methods=["GET", "POST"])
@at_most(SIGN_INS, methods=["POST"])
def login() -> Response:
    """Show the sign-in form, or sign in with the fields `email` and `password`."""
    if request.method == "GET":
        return to_page(next_page()) if current_account() else form_page("login.html")
    email, password = posted("email"), request.form.get("password", "")
    wait = services().throttle.attempt(email, peer())
    if wait > 0:
        sentence = f"Too many failed attempts; try again in {wait} seconds."
        return refused("login.html", 429, "too_many_attempts", sentence, headers={"Retry-After": str(wait)})
    user = check(email, password)
    if user is None:
        services().throttle.failed(peer())
        log.info("A sign-in failed.", action="sign_in_failed", peer=peer())
        return refused("login.html", 401, "wrong_credentials", WRONG)
    services().throttle.succeeded(email)
    log.info("A user signed in.", action="signed_in", user_id=user.id, peer=peer())
    return signed_in(user, next_page())


@auth.route("/logout", methods=["GET", "POST"])
def logout() -> Response:
    """End the session. A GET only shows the button: a link on some page must not sign anybody out."""
    if request.method == "GET":
        return form_page("logout.html") if current_account() else to_page("/login")
    raw_id = cookie_id(request)
    if raw_id:
        services().sessions.revoke(raw_id)
    response = told("Signed out.", "/login")
    drop_cookie(response)
    return response


@auth.route("/register", methods=["GET", "POST"])
@at_most(NEW_ACCOUNTS, methods=["POST"])
def register() -> Response:
    """Open an account, where the owner of the server allows it."""
    if services().settings.registration != "open":
        sentence = "Accounts on this server are made by its administrator."
        return refused("closed.html", 403, "registration_closed", sentence)
    if request.method == "GET":
        return to_page("/") if current_account() else form_page("register.html")
    try:
        user = services().users.create(posted("email"), request.form.get("password", ""))
    except SettingsProblem as problem:
        return refused("register.html", 400, "invalid_account", "This account cannot be made.", errors=problem.errors)
    log.info("An account was opened.", action="registered", user_id=user.id, peer=peer())
    return signed_in(user, "/")


@auth.route("/setup", methods=["GET", "POST"])
@at_most(NEW_ACCOUNTS, methods=["POST"])
def setup() -> Response:
    """Make the first administrator with the one-time link that the server printed at its first start."""
    token = request.values.get("token", "")
    parts = services()
    if not (token and parts.setup.needed() and parts.setup.is_valid(token)):
        sentence = (
            "This link was used or is too old; while it has no administrator, the server prints a new one at its start."
        )
        return refused("closed.html", 403, "setup_link_invalid", sentence)
    if request.method == "GET":
        return form_page("setup.html", token=token)
    email, password = posted("email"), request.form.get("password", "")
    try:
        parts.users.check_new(email, password, role="admin")  # before the token is spent
        if not parts.setup.redeem(token):
            raise Problem(403, "setup_link_invalid", "This link was used a moment ago.")
        user = parts.users.create(email, password, role="admin")
    except SettingsProblem as problem:
        message = "This account cannot be made."
        return refused("setup.html", 400, "invalid_account", message, errors=problem.errors, token=token)
    log.info("The first administrator was made.", action="setup", user_id=user.id, peer=peer())
    return signed_in(user, "/?welcome=1")


def check(email: str, password: str) -> User | None:
    """The user these belong to. What no account can have still costs the time of a check."""
    if len(password) > PASSWORD_CHARACTERS_MAX:
        password = password[:PASSWORD_CHARACTERS_MAX] + "\x00"
    return services().users.check_password(email[:EMAIL_CHARACTERS_MAX], password)


def posted(field: str) -> str:
    """One short field of the form, without the spaces around it."""
    return request.form.get(field, "")[: EMAIL_CHARACTERS_MAX + 1].replace("\x00", "").strip()


def peer() -> str:
    """The address of the other end."""
    return request.remote_addr or ""


def next_page() -> str:
    """Where to go after signing in: a page of ours, never another site."""
    wanted = request.values.get("next", "/")
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if is_ours and "\\" not in wanted else "/"


def signed_in(user: User, target: str) -> Response:
    """Answer a visitor who became a user."""
    response = told("Signed in.", target)
    sign_in(response, user)
    return response


def told(message: str, target: str) -> Response:
    """A program reads a sentence, a person sees the next page."""
    return jsonify(success=True, status="ok", message=said(message)) if wants_json() else to_page(target)


def to_page(target: str) -> Response:
    """Go to a page of ours."""
    return make_response(redirect(target, 303))


def form_page(template: str, **values: Any) -> Response:
    """A page with a form, empty."""
    page = render_template(template, errors={}, message="", next=next_page(), first_run=first_run(), **values)
    return make_response(page)


def refused(
    template: str,
    http_status: int,
    status: str,
    message: str,
    *,
    errors: dict[str, list[str]] | None = None,
    headers: dict[str, str] | None = None,
    **values: Any,
) -> Response:
    """The form again, with what was wrong; JSON for a program."""
    if wants_json():
        response = make_response(jsonify(error_body(status, message, errors)), http_status)
    else:
        page = render_template(
            template,
            errors=errors or {},
            message=message,
            email=posted("email"),
            next=next_page(),
            first_run=first_run(),
            **values,
        )
        response = make_response(page, http_status)
    response.headers.update(headers or {})
    return response


def first_run() -> bool:
    """Whether nobody administers this server yet; the sign-in page then says where the setup link is."""
    return services().setup.needed()

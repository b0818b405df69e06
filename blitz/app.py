"""`create_app`: the one place where the web is put together.

Called by `blitz.server` with parts that are already built, by the tests with theirs, and without any by the
documented one-liner; then the parts are built from the environment, and no bot is started.
"""

from apiflask import APIFlask

from blitz import __version__
from blitz.web import (
    accounts,
    errors,
    headers,
    language,
    limits,
    long_work,
    openapi,
    pages,
    policy,
    proxies,
    requests,
    static_files,
)
from blitz.web.account_api import account
from blitz.web.admin import admin
from blitz.web.admin_commands import commands
from blitz.web.admin_people import people
from blitz.web.admin_server import admin_server, notices
from blitz.web.auth import auth
from blitz.web.bot_api import bot
from blitz.web.diagnostics import diagnostics
from blitz.web.going_live import live
from blitz.web.history_api import history
from blitz.web.invite import invite
from blitz.web.json_text import DigitKeepingJson
from blitz.web.ladder_api import ladder
from blitz.web.ladder_tools import ladder_tools
from blitz.web.legacy import legacy
from blitz.web.services import EXTENSION, Services
from blitz.web.stream import StreamBudget

PARTS = (
    requests, openapi, errors, accounts, static_files,
    headers, limits, policy,  # in this order before each view
    long_work, language, pages,
)  # fmt: skip
BLUEPRINTS = (
    bot, ladder, ladder_tools, live, history, account,
    admin, people, commands, admin_server, notices,
    diagnostics, pages.pages, auth, invite, legacy,
)  # fmt: skip


def create_app(services: Services | None = None) -> APIFlask:
    """Build the web application. Raises `ConfigurationProblem` when its parts cannot be built."""
    if services is None:
        from blitz.server import build_services
        from blitz.settings import load_settings

        services = build_services(load_settings())
    app = APIFlask(
        "blitz.web",
        title="Blitz",
        version=__version__,
        json_errors=False,
        docs_path=None,
        spec_path="/openapi.json",
        openapi_blueprint_url_prefix="/api",
        instance_path=str(services.settings.instance_path),
    )
    app.secret_key = services.cookie_key
    app.extensions[EXTENSION] = services
    app.extensions["blitz_streams"] = StreamBudget()
    app.json = DigitKeepingJson(app)
    for part in PARTS:
        part.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    proxies.register(app, services.settings.trusted_proxies)
    policy.refuse_undeclared_routes(app)
    return app

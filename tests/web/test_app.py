"""Putting the app together, by hand and by the documented one-liner."""

import re
import subprocess
import sys

from tests.conftest import PROJECT_ROOT

ONE_LINER = (
    "from Blitz_app import create_app; app = create_app(); app.app_context().push(); "
    "from Blitz_app.extensions import db; db.create_all()"
)


def test_the_documented_one_liner_makes_the_database(home):
    done = subprocess.run([sys.executable, "-c", ONE_LINER], cwd=PROJECT_ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert (home / "instance" / "users.db").exists()


def test_two_apps_in_one_process_do_not_mix(make_world):
    first, second = make_world(), make_world()
    first.signed_in(first.trader).post("/api/bot/start")

    assert first.signed_in(first.trader).get("/api/bot/status").json["running"] is True
    assert second.signed_in(second.trader).get("/api/bot/status").json["running"] is False


def test_the_openapi_document_describes_every_route_of_the_api(world):
    document = world.visitor().get("/api/openapi.json").json

    wanted = {
        re.sub(r"<(int:)?(\w+)>", r"{\2}", rule.rule)
        for rule in world.app.url_map.iter_rules()
        if rule.rule.startswith(("/api/bot/", "/admin/users", "/admin/simple/", "/admin/server"))
    }
    assert document["openapi"] == "3.1.0"
    assert wanted <= set(document["paths"])
    for path in wanted:
        for operation in document["paths"][path].values():
            if isinstance(operation, dict) and "responses" in operation:
                assert {"401", "403", "429"} <= set(operation["responses"])

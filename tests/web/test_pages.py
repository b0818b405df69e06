"""The pages as text; a browser looks at them in its own tests."""

import functools
import hashlib
from pathlib import Path

import pytest

import blitz.web
from blitz.web.pages import grouped

STATIC = Path(blitz.web.__file__).parent / "static"


def test_the_control_page_has_the_four_documented_buttons(still_client):
    page = still_client.get("/").get_data(as_text=True)

    for label in ("🚀 Start Bot", "🛑 Stop Bot", "📊 Get Status", "🔧 Recover Orders"):
        assert f">{label}</button>" in page
    assert 'data-mode="paper"' in page
    assert ">PAPER<" in page


def test_the_administrators_page_offers_its_commands_for_everybody(still_world):
    page = still_world.signed_in(still_world.admin).get("/admin/lite").get_data(as_text=True)
    script = (STATIC / "js" / "admin.js").read_text(encoding="utf-8")

    assert all(label in script for label in ("Force Start", "Force Stop", "Reconcile"))
    assert all(user.email in page for user in (still_world.trader, still_world.stranger, still_world.admin))


def test_the_welcome_says_what_to_do_next(still_client):
    assert "Your server is ready" in still_client.get("/?welcome=1").get_data(as_text=True)
    assert "Your server is ready" not in still_client.get("/").get_data(as_text=True)


@pytest.mark.parametrize(
    ("figure", "places", "shown"),
    [
        ("58416.79333333", 4, "58,416.7933"),
        ("1000", 2, "1,000"),
        ("-1234567.899", 2, "-1,234,567.89"),
        ("0.00012", None, "0.00012"),
        ("96.00", 2, "96"),
    ],
)
def test_a_figure_is_grouped_and_cut_and_never_rounded(figure, places, shown):
    assert grouped(figure, places) == shown


def test_text_of_users_is_never_markup(world):
    with world.parts.database.write() as connection:
        connection.exec_driver_sql("UPDATE users SET email = '</script><b>x' WHERE id = 2")

    page = world.signed_in(world.admin).get("/admin/console").get_data(as_text=True)

    assert "<b>x" not in page


CREDIT = '<a href="https://www.tradingview.com/" rel="noopener noreferrer" target="_blank">TradingView</a>'
"""The link that the licence of the charts asks for; nothing is loaded from there."""


def test_no_page_and_no_file_names_another_server(still_client):
    texts = [still_client.get(path).get_data(as_text=True) for path in ("/", "/settings", "/login", "/api/docs")]
    texts += [each.read_text(encoding="utf-8") for each in (*STATIC.glob("css/*.css"), *STATIC.glob("js/**/*.js"))]

    assert texts
    known = ("// ", "http://www.w3.org/2000/svg", CREDIT)
    for text in texts[:4]:
        assert "//" not in functools.reduce(lambda left, each: left.replace(each, ""), known, text)
    assert all("http://" not in text and "https://" not in text for text in texts[4:])


@pytest.mark.parametrize("line", (STATIC / "vendor" / "SHA256SUMS").read_text().splitlines())
def test_a_vendored_file_is_the_one_that_was_taken(line):
    checksum, name = line.split()

    assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == checksum


def test_every_vendored_file_is_listed_and_has_its_licence():
    listed = {line.split()[1] for line in (STATIC / "vendor" / "SHA256SUMS").read_text().splitlines()}
    present = {str(each.relative_to(STATIC / "vendor")) for each in (STATIC / "vendor").rglob("*") if each.is_file()}

    assert present - {"SHA256SUMS", "README.md"} == listed
    assert "swagger-ui/LICENSE.txt" in listed

"""The settings page in a real browser: every mistake at its field, everything by keyboard, nothing lost unsaid."""

import json
import re

import pytest
from playwright.sync_api import Dialog, Page, expect

from blitz.core.ladder_settings import parse_settings
from tests.web.browser.conftest import axe_faults
from tests.web.conftest import World

pytestmark = pytest.mark.browser

THREE_COMMAS = {
    "base_order_volume": "2000",
    "safety_order_volume": "4000",
    "max_safety_orders": 3,
    "safety_order_step_percentage": "1.5",
    "martingale_step_coefficient": "1.2",
    "take_profit": "1.5",
    "leverage_custom_value": "8",
    "strategy": "long",
    "pairs": ["USDT_ETHUSDT"],
    "trailing_enabled": True,
    "colour": "green",
}


@pytest.fixture
def page(signed_in: Page) -> Page:
    """The trader, who opens the settings first of all."""
    return signed_in


@pytest.fixture
def settings(page: Page) -> Page:
    """The trader's settings page, its preview drawn."""
    return drawn(page)


def drawn(page: Page) -> Page:
    page.goto("/settings")
    expect(page.locator("#preview tr")).to_have_count(4)
    expect(page.locator(".preset")).to_have_count(3)
    expect(page.locator("#rules dd")).to_have_count(9)
    return page


def amount(page: Page, leg: int):
    return page.get_by_label(f"Amount of leg {leg}", exact=True)


def gap(page: Page, leg: int):
    return page.get_by_label(f"Gap of leg {leg}", exact=True)


def amounts(page: Page) -> list[str]:
    return page.locator("#grid [data-part=amount]").evaluate_all("inputs => inputs.map(input => input.value)")


def saved_settings(world: World):
    user = world.parts.users.by_id(world.trader.id)
    assert user is not None
    return user.settings


def dialogs_of(page: Page) -> list[str]:
    """The kind of each question the browser asks from now on; each is answered with yes."""
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    return asked


MISTAKES = [
    ("[name=leverage]", "x", "leverage", "x is not a number."),
    ("[name=leverage]", "101", "leverage", "above this market's limit; choose at most 100."),
    ("[name=leverage]", "2.005", "leverage", "multiple of 0.01"),
    ("[name=symbol]", "NOPE/USDT:USDT", "symbol", "is not a market of this exchange"),
    ("[name=symbol]", "", "symbol", "is missing"),
    ("[name=rounds]", "1.5", "rounds", "not a whole number"),
    ("[name=take_profit]", "-1", "take_profit", "out of range"),
    ("[name=stop_loss]", "1000", "stop_loss", "a price of zero or less"),
]


def test_a_mistake_is_named_at_its_field_and_gone_once_it_is_mended(settings: Page):
    for field, value, place, words in MISTAKES:
        before = settings.locator(field).input_value()

        settings.locator(field).fill(value)
        expect(settings.locator(f"[data-fault={place}]")).to_contain_text(words)
        expect(settings.locator(field)).to_have_attribute("aria-invalid", "true")
        expect(settings.locator("#preview-problem")).to_be_visible()
        settings.locator(field).fill(before)

        expect(settings.locator("#preview-part")).to_be_visible()
        expect(settings.locator(f"[data-fault={place}]")).to_have_text("")
        expect(settings.locator(field)).not_to_have_attribute("aria-invalid", "true")


LEG_MISTAKES = [
    ("amount", "0.01", "the smallest amount that works is 5.89 USDT"),
    ("amount", "many", "amount many is not a number."),
    ("amount", "", "amount nothing is not a number."),
    ("gap", "0.00001", "smaller than the market's price step"),
    ("gap", "0", "must be above 0"),
    ("gap", "100", "out of range"),
]


def test_a_mistake_of_a_leg_is_named_at_its_row(settings: Page):
    for part, value, words in LEG_MISTAKES:
        field = amount(settings, 2) if part == "amount" else gap(settings, 2)
        before = field.input_value()

        field.fill(value)

        expect(settings.locator("#leg-2-about")).to_contain_text(words)
        expect(settings.locator("#grid tr.wrong")).to_have_count(1)
        expect(settings.locator("[data-fault=grids]")).to_contain_text("Leg 2")
        field.fill(before)
        expect(settings.locator("#grid tr.wrong")).to_have_count(0)

    expect(gap(settings, 2)).to_have_attribute("aria-describedby", "leg-2-about")
    gap(settings, 2).fill("0")
    settings.get_by_role("button", name="Save settings").click()
    expect(settings.locator("#grid tr.wrong input:focus")).to_have_count(1)


DOUBTS = [
    ("[name=rounds]", "9", "rounds", "legs used: 4."),
    ("[name=stop_loss]", "9", "stop_loss", "Leg 1 at 59400 is never reached"),
    ("[name=take_profit]", "0.5", "take_profit", "loses"),
]


def test_what_trades_and_may_not_be_meant_is_said_and_can_be_saved(settings: Page):
    for field, value, place, words in DOUBTS:
        settings.locator(field).fill(value)
        expect(settings.locator("#warnings")).to_contain_text(words)
        expect(settings.locator(f"[data-doubt={place}]")).to_contain_text(words)

    settings.get_by_role("button", name="Save settings").click()
    expect(settings.locator("#saved")).to_have_text("Saved.")


def test_margin_above_the_balance_is_a_warning_at_its_leg_and_no_refusal(settings: Page):
    amount(settings, 3).fill("20000")

    expect(settings.locator("#warnings [data-code=balance_short]")).to_contain_text("10000 USDT are there")
    expect(settings.locator("#leg-3-about")).to_contain_text("from leg 3 on")
    settings.get_by_role("button", name="Save settings").click()
    expect(settings.locator("#saved")).to_have_text("Saved.")


def test_the_market_says_its_limits_at_the_fields_they_limit(settings: Page):
    expect(settings.locator("#leverage-hint")).to_have_text("From 1 to 100 on this market, in steps of 0.01.")
    expect(settings.locator("#smallest")).to_contain_text(
        "6 USDT: at least 0.001 BTC and 5 USDT of value, at leverage 10."
    )
    expect(settings.locator("#rules")).to_contain_text("Price step (tick)0.1")

    settings.locator("[name=leverage]").fill("20")
    expect(settings.locator("#smallest")).to_contain_text("3 USDT")
    settings.locator("[name=symbol]").fill("ETH/USDT:USDT")
    expect(settings.locator("#rules")).to_contain_text("ETH")
    settings.locator("[name=exchange]").select_option("bingx")
    expect(settings.locator("#rules")).to_contain_text("0.05 %")
    assert settings.locator("#markets option").count() >= 10


def test_the_preview_shows_what_each_leg_brings_and_costs(settings: Page):
    settings.locator("[name=stop_loss]").fill("40")
    second = settings.locator("#preview tr").nth(1)

    expect(second).to_contain_text("57,312")  # the stop-loss
    expect(second).to_contain_text("59,998.5")  # the take-profit
    expect(second).to_contain_text("1.01 % back")
    expect(second).to_contain_text("+8.44 net")
    expect(second).to_contain_text(re.compile(r"−\d+\.\d\d net"))
    expect(second).to_contain_text("fees 0.71")
    expect(settings.locator("#preview-totals")).to_contain_text("5 % ROE = 0.5 % price")
    expect(settings.locator("#preview-totals")).to_contain_text("3.95 % down")
    expect(settings.locator("#preview-totals")).to_contain_text("10,000 USDT")
    expect(settings.locator("#grid .share").first).to_contain_text("12.5 %")


def test_legs_are_inserted_duplicated_moved_and_removed(settings: Page):
    settings.get_by_role("button", name="Duplicate leg 3").click()
    assert amounts(settings) == ["100", "100", "200", "400", "400"]
    assert settings.locator("[name=rounds]").input_value() == "5"
    settings.get_by_role("button", name="Insert a leg after leg 0").click()
    expect(amount(settings, 1)).to_be_focused()
    amount(settings, 1).fill("55")
    gap(settings, 1).fill("0.5")
    settings.get_by_role("button", name="Move leg 1 down").click()
    assert amounts(settings) == ["100", "100", "55", "200", "400", "400"]
    expect(settings.get_by_role("button", name="Move leg 2 down")).to_be_focused()
    settings.get_by_role("button", name="Remove leg 5").click()
    settings.get_by_role("button", name="Move leg 1 up").click()
    settings.get_by_role("button", name="Duplicate leg 0").click()

    expect(settings.locator("#preview tr")).to_have_count(6)
    assert settings.locator("#grid [data-part=gap]").evaluate_all("inputs => inputs.map(input => input.value)")[:3] == [
        "",
        "1",
        "1",
    ]
    expect(settings.get_by_role("button", name="Move leg 0 up")).to_be_disabled()
    assert settings.locator("[name=rounds]").input_value() == "6"


def test_a_preset_fills_the_form_saves_nothing_and_can_be_undone(world: World, settings: Page):
    before = saved_settings(world)

    for name, rows in (("Careful", 6), ("Balanced", 7), ("Bold", 8)):
        settings.locator(".preset", has_text=name).click()
        expect(settings.locator("#preview tr")).to_have_count(rows)
        expect(settings.locator("#filled")).to_contain_text(f"Filled in: {name}. Nothing is saved yet.")
        expect(settings.locator("#unsaved")).to_have_text("Unsaved changes.")
        expect(settings.locator("#warnings")).to_be_hidden()

    assert saved_settings(world) == before
    settings.get_by_role("button", name="Undo").click()
    expect(settings.locator("#preview tr")).to_have_count(4)
    expect(settings.locator("#unsaved")).to_have_text("")


def test_presets_follow_the_market(settings: Page):
    settings.locator("[name=symbol]").fill("NOPE/USDT:USDT")
    expect(settings.locator("#no-presets")).to_be_visible()
    settings.locator("[name=symbol]").fill("XRP/USDT:USDT")
    settings.locator(".preset", has_text="Bold").click()

    expect(settings.locator("#preview tr")).to_have_count(8)
    expect(settings.locator("#preview-price")).to_contain_text("XRP/USDT")


def test_the_generator_fills_the_legs_of_the_other_bot(world: World, settings: Page):
    settings.locator("#generator summary").click()
    settings.locator("[data-generate=safety_orders]").fill("3")
    settings.locator("[data-generate=deviation]").fill("1.5")
    settings.get_by_role("button", name="Fill in these legs").click()

    expect(settings.locator("#preview tr").nth(3)).to_contain_text("56,724")
    expect(settings.locator("#filled")).to_contain_text("4 legs with 464 USDT of margin, over 5.46 %")
    settings.locator("[data-generate=measured_from]").select_option("previous")
    settings.locator("[data-generate=deviation]").press("Enter")
    expect(gap(settings, 3)).to_have_value("2.16")
    assert saved_settings(world) == world.trader.settings


GENERATOR_MISTAKES = [
    ("base_order", "", "is missing"),
    ("safety_orders", "99", "out of range"),
    ("deviation", "60", "price of zero or less"),
    ("step_scale", "0", "out of range"),
    ("volume_scale", "x", "x is not a number."),
]


def test_a_mistake_in_the_generator_is_named_at_its_field(settings: Page):
    settings.locator("#generator summary").click()
    for field, value, words in GENERATOR_MISTAKES:
        before = settings.locator(f"[data-generate={field}]").input_value()
        settings.locator(f"[data-generate={field}]").fill(value)

        settings.get_by_role("button", name="Fill in these legs").click()

        expect(settings.locator(f"[data-fault={field}]")).to_contain_text(words)
        expect(settings.locator(f"[data-generate={field}]")).to_be_focused()
        settings.locator(f"[data-generate={field}]").fill(before)
    assert amounts(settings) == ["100", "100", "200", "400"]


def paste(page: Page, text: str) -> None:
    if page.locator("#import").get_attribute("open") is None:
        page.locator("#import summary").click()
    page.get_by_label("Paste here").fill(text)
    page.get_by_role("button", name="Fill in what can be taken over").click()


def test_a_paste_of_3commas_fills_the_form_and_says_what_it_made_of_it(world: World, settings: Page):
    paste(settings, json.dumps(THREE_COMMAS))

    expect(settings.locator("#filled-taken")).to_contain_text(
        "The take-profit of 1.5 % of the price is 12 % of the margin"
    )
    expect(settings.locator("#filled-left")).to_contain_text(
        "trailing_enabled A trailing take-profit does not exist here"
    )
    expect(settings.locator("#filled-left")).to_contain_text("colour This is not known here.")
    expect(settings.locator("[name=symbol]")).to_have_value("ETH/USDT:USDT")
    expect(settings.locator("[name=take_profit]")).to_have_value("12")
    assert amounts(settings) == ["250", "500", "500", "500"]
    expect(settings.locator("#preview-price")).to_contain_text("ETH/USDT")
    assert saved_settings(world) == world.trader.settings
    settings.get_by_role("button", name="Save settings").click()
    expect(settings.locator("#saved")).to_have_text("Saved.")
    expect(settings.locator("#filled")).to_be_hidden()
    assert saved_settings(world).symbol == "ETH/USDT:USDT"


def test_volumes_can_be_read_as_margin(settings: Page):
    settings.locator("#import summary").click()
    settings.get_by_label("3Commas' volumes are").select_option("margin")
    paste(settings, json.dumps({**THREE_COMMAS, "base_order_volume": "20", "safety_order_volume": "40"}))

    expect(amount(settings, 0)).to_have_value("20")


def test_grids_of_the_old_server_are_taken_as_they_are(settings: Page):
    old = {"leverage": 15, "take_profit": "0.5%", "grids": [{"amount": 100, "gap": 0}, {"amount": 300, "gap": "1.5"}]}

    paste(settings, json.dumps({**old, "api_key": "abc"}))

    expect(settings.locator("#preview tr")).to_have_count(2)
    expect(settings.locator("[name=leverage]")).to_have_value("15")
    expect(settings.locator("[name=take_profit]")).to_have_value("0.5")
    expect(settings.locator("#filled-left")).to_contain_text("api_key Keys are never taken from a paste")


PASTE_MISTAKES = [
    ('{"grids": [', "[data-fault=text]", "is not valid JSON"),
    ("nonsense", "[data-fault=text]", "Line 1 is not of the form"),
    ("", "[data-fault=text]", "is empty"),
    (json.dumps({**THREE_COMMAS, "max_safety_orders": 99}), "#import-faults", "max_safety_orders 99 is out of range"),
    ('[{"amount": "x"}]', "#import-faults", "grids Leg 0: amount x is not a number."),
]


def test_a_paste_that_cannot_be_read_changes_nothing(settings: Page):
    for text, place, words in PASTE_MISTAKES:
        paste(settings, text)
        expect(settings.locator(place)).to_contain_text(words)
        expect(settings.get_by_label("Paste here")).to_be_focused()

    assert amounts(settings) == ["100", "100", "200", "400"]
    expect(settings.locator("#filled")).to_be_hidden()
    paste(settings, '[{"amount": 100}]')
    expect(settings.locator("#import-faults")).to_have_text("")
    expect(settings.locator("[data-fault=text]")).to_have_text("")


def test_unsaved_changes_are_said_and_asked_about_on_leaving(settings: Page):
    asked = dialogs_of(settings)
    settings.locator("[name=take_profit]").fill("7")
    expect(settings.locator("#unsaved")).to_have_text("Unsaved changes.")

    settings.get_by_role("link", name="Control").click()

    expect(settings.locator("#state-word")).to_be_visible()
    assert asked == ["beforeunload"]


def test_nothing_is_asked_when_all_is_saved_or_discarded(settings: Page):
    asked = dialogs_of(settings)
    settings.locator("[name=take_profit]").fill("7")
    settings.get_by_role("button", name="Save settings").click()
    expect(settings.locator("#saved")).to_have_text("Saved.")
    expect(settings.locator("#unsaved")).to_have_text("")
    amount(settings, 1).fill("150")
    settings.get_by_role("button", name="Discard changes").click()
    expect(amount(settings, 1)).to_have_value("100")
    expect(settings.get_by_role("button", name="Discard changes")).to_be_hidden()

    settings.get_by_role("link", name="Control").click()

    expect(settings.locator("#state-word")).to_be_visible()
    assert asked == []


def test_a_change_during_a_cycle_is_said_to_wait_for_the_next(page: Page):
    page.goto("/")
    page.get_by_role("button", name="🚀 Start Bot").click()
    expect(page.locator("#ladder .pill[data-state=resting]")).to_have_count(4)
    drawn(page)
    expect(page.locator("#next-cycle")).to_contain_text("takes effect with the next cycle")

    page.locator("[name=take_profit]").fill("7")
    expect(page.locator("#unsaved")).to_have_text("Unsaved changes. Saved, they take effect with the next cycle.")
    page.get_by_role("button", name="Save settings").click()

    expect(page.locator("#saved")).to_have_text("Saved. Takes effect with the next cycle.")


def test_everything_works_by_keyboard(world: World, settings: Page):
    keys = settings.keyboard
    settings.locator(".preset").first.focus()
    keys.press("Enter")
    expect(settings.locator("#filled")).to_be_focused()
    settings.get_by_role("button", name="Undo").press("Space")
    expect(amount(settings, 3)).to_have_value("400")
    settings.locator("#generator summary").press("Enter")
    keys.press("Tab")
    expect(settings.locator("[data-generate=base_order]")).to_be_focused()
    keys.press("Enter")
    expect(settings.locator("#preview tr")).to_have_count(6)
    amount(settings, 1).focus()
    keys.press("Tab")
    expect(gap(settings, 1)).to_be_focused()
    for button in ("Move leg 1 up", "Move leg 1 down", "Insert a leg after leg 1", "Duplicate leg 1", "Remove leg 1"):
        keys.press("Tab")
        expect(settings.get_by_role("button", name=button, exact=True)).to_be_focused()
    keys.press("Enter")
    expect(settings.locator("#preview tr")).to_have_count(5)
    expect(settings.get_by_role("button", name="Remove leg 1", exact=True)).to_be_focused()
    settings.locator("[name=take_profit]").press("Enter")
    expect(settings.locator("#saved")).to_have_text("Saved.")
    assert len(saved_settings(world).grids) == 5


def test_with_faults_and_warnings_the_page_is_accessible_and_fits_in_both_themes(settings: Page):
    settings.locator("#generator summary").click()
    paste(settings, json.dumps({**THREE_COMMAS, "pairs": "BTCUSDT", "stop_loss_percentage": 2}))
    expect(settings.locator("#filled")).to_be_visible()
    expect(settings.locator("#preview tr")).to_have_count(4)
    for size, shown in (("0.01", "#grid tr.wrong"), ("30000", "#warnings [data-code=balance_short]")):
        amount(settings, 2).fill(size)
        expect(settings.locator(shown)).to_have_count(1)
        for theme, width in (("light", 1280), ("dark", 390)):
            settings.emulate_media(color_scheme=theme)
            settings.set_viewport_size({"width": width, "height": 844})
            assert axe_faults(settings) == []
            assert settings.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_save_is_in_reach_wherever_one_is(settings: Page):
    for width, height in ((1280, 800), (390, 700)):
        settings.set_viewport_size({"width": width, "height": height})
        for place in (0, 700, 10_000):
            settings.evaluate(f"scrollTo(0, {place})")
            expect(settings.get_by_role("button", name="Save settings")).to_be_in_viewport(ratio=1)


def test_the_preview_stays_in_sight_on_a_wide_screen(settings: Page):
    settings.set_viewport_size({"width": 1280, "height": 800})
    amount(settings, 3).scroll_into_view_if_needed()

    expect(settings.locator("#preview-totals")).to_be_in_viewport()


def test_without_the_exchange_the_form_can_still_be_filled_in(page: Page):
    silent = {"message": "The exchange does not answer."}
    asked = re.compile("/api/bot/(preview|market|ladder/presets)")
    page.route(asked, lambda route: route.fulfill(status=400, json=silent))
    page.goto("/settings")

    expect(page.locator("#preview-problem")).to_have_text("The exchange does not answer.")
    expect(page.locator("#no-rules")).to_be_visible()
    paste(page, '[{"amount": 100}]')
    expect(page.locator("#filled")).to_be_visible()
    assert amounts(page) == ["100"]


def test_a_live_account_without_a_key_has_an_unknown_balance(world: World, page: Page):
    world.parts.users.save_settings(world.trader.id, parse_settings({"mode": "live"}, base=world.trader.settings))
    page.goto("/settings")

    expect(page.locator("#preview-totals")).to_contain_text("not known")
    expect(page.locator("#preview-totals")).to_contain_text("no API key is stored")
    expect(page.locator("#preview-totals")).to_contain_text("needs the balance")


def test_the_preview_follows_the_price_while_one_thinks(world: World, page: Page):
    page.clock.install()
    drawn(page)
    world.move_price("61000")

    page.clock.fast_forward(16_000)

    expect(page.locator("#preview-price")).to_have_text("BTC/USDT at 61,000")
    expect(page.locator("#rules")).to_contain_text("61,000 USDT")
    expect(page.locator("#unsaved")).to_have_text("")

"""The whole way: server here, paper exchange there, prices moved by hand, and a stranger's client looking on."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.acceptance.conftest import Exchange, Server, Trader, until
from tests.bots.both import BOTH, BOTH_SIDES
from tests.bots.plain import place_of

pytestmark = BOTH

SYMBOL = "BTC/USDT:USDT"
KEY, SECRET = "outside", "sesame"
LADDER: dict[str, Any] = {
    "symbol": SYMBOL,
    "leverage": "10",
    "grids": [{"amount": "100"}, {"amount": 100, "gap": "1%"}, {"amount": 200, "gap": 1}, {"amount": 400, "gap": "2"}],
    "rounds": 4,
    "take_profit": "5%",
    "stop_loss": "0",
    "repeat": True,
    "api_key": KEY,
    "api_secret": SECRET,
}
LONG_LEGS = {1: ("59400", "0.016"), 2: ("58806", "0.034"), 3: ("57629.9", "0.069")}
SHORT_LEGS = {1: ("60600", "0.016"), 2: ("61206", "0.032"), 3: ("62430.1", "0.064")}
LEGS = {"long": LONG_LEGS, "short": SHORT_LEGS}
TARGETS = {
    "long": [("60300", "0.016"), ("59998.5", "0.032"), ("59535.7", "0.066"), ("58708.9", "0.135")],
    "short": [("59700", "0.016"), ("59998.5", "0.032"), ("60449.2", "0.064"), ("61283.5", "0.128")],
}
"""Price and quantity of the take-profit after the entry and after each leg."""
FOREIGN = {"long": ("buy", "40000"), "short": ("sell", "90000")}
"""An order that the bot's owner rests beside it, on the bot's own side."""


@pytest.fixture
def server(exchange: Exchange, start_server: Callable[..., Server]) -> Server:
    return start_server(BLITZ_PAPER_URL=exchange.url)


def resting(client: Any) -> dict[str, tuple[Decimal, Decimal]]:
    """Tag → price and quantity of everything that rests, as any ccxt client sees it."""
    orders = client.fetch_open_orders(SYMBOL)
    return {
        as_kept(client, order["clientOrderId"] or order["id"]): (Decimal(order["price"]), Decimal(order["amount"]))
        for order in orders
    }


def as_kept(client: Any, tag: str) -> str:
    """BingX folds ids, and moves a take-profit by another order, whose id has a generation of its own."""
    if client.id == "bybit":
        return tag
    return re.sub(r"^(sm_tp_\d+_[a-z]+)_[0-9a-z]+$", r"\1", tag.lower())


def ladder(user_id: int, legs: dict[int, tuple[str, str]], *numbers: int) -> dict[str, tuple[Decimal, Decimal]]:
    return {
        f"sm_leg_{number}_{user_id}_BTCUSDTUSDT": (Decimal(legs[number][0]), Decimal(legs[number][1]))
        for number in numbers
    }


def target(user_id: int, price: str, quantity: str) -> dict[str, tuple[Decimal, Decimal]]:
    return {f"sm_tp_{user_id}_BTCUSDTUSDT": (Decimal(price), Decimal(quantity))}


def see(client: Any, expected: dict[str, tuple[Decimal, Decimal]]) -> None:
    """Wait until exactly these orders rest."""
    expected = {as_kept(client, tag): order for tag, order in expected.items()}
    seen: list[dict[str, tuple[Decimal, Decimal]]] = []

    def agree() -> bool:
        seen.append(resting(client))
        return seen[-1] == expected

    try:
        until(agree, "the expected orders")
    except AssertionError:
        assert seen[-1] == expected


@BOTH_SIDES
def test_a_ladder_trades_through_every_leg_and_the_take_profit_and_starts_again(
    exchange: Exchange, server: Server, side: str
) -> None:
    trader = server.sign_in("ladder@example.com")
    trader.told("PUT", "/api/bot/settings", LADDER | {"exchange": exchange.name, "side": side})
    client = exchange.client(KEY, SECRET)
    direction, price = FOREIGN[side]
    foreign = client.create_order(SYMBOL, "limit", direction, "0.01", price, place_of(client, direction))["id"]
    also = {foreign: (Decimal(price), Decimal("0.01"))}
    user, legs, targets = trader.user_id, LEGS[side], TARGETS[side]

    assert trader.told("POST", "/api/bot/start")["status"] == "started"
    see(client, also | ladder(user, legs, 1, 2, 3) | target(user, *targets[0]))
    exchange.price(legs[1][0])
    see(client, also | ladder(user, legs, 2, 3) | target(user, *targets[1]))
    exchange.price(legs[2][0])
    see(client, also | ladder(user, legs, 3) | target(user, *targets[2]))
    exchange.price(legs[3][0])
    see(client, also | target(user, *targets[3]))
    exchange.price(targets[3][0])

    status = until(
        lambda: (told := trader.status())["cycle"] and told["cycle"]["number"] == 2 and told["position"] and told,
        "a second cycle whose entry is booked",
    )
    assert status["profit"]["cycles"] == 1
    books = exchange.books(KEY)
    assert Decimal(books["realised"]) == Decimal(status["profit"]["realised"])
    assert Decimal(books["fees"]) == Decimal(status["profit"]["fees"])
    assert foreign in resting(client)


def cancel(client: Any, user_id: int, *names: str) -> None:
    """Cancel orders by hand, as their owner may."""
    wanted = {as_kept(client, f"sm_{name}_{user_id}_BTCUSDTUSDT") for name in names}
    found = [order for order in client.fetch_open_orders(SYMBOL) if order["clientOrderId"] in wanted]
    assert len(found) == len(wanted)
    for order in found:
        client.cancel_order(order["id"], SYMBOL)


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_recover_creates_exactly_what_is_missing(exchange: Exchange, server: Server, stopped: bool) -> None:
    trader = server.sign_in("recover@example.com")
    trader.told("PUT", "/api/bot/settings", LADDER | {"exchange": exchange.name, "side": "long"})
    client, user = exchange.client(KEY, SECRET), trader.user_id
    trader.told("POST", "/api/bot/start")
    see(client, ladder(user, LONG_LEGS, 1, 2, 3) | target(user, "60300", "0.016"))
    if stopped:
        trader.told("POST", "/api/bot/stop", {"legs": "keep"})
    kept = ladder(user, LONG_LEGS, 1)

    cancel(client, user, "tp", "leg_2", "leg_3")
    dry = trader.told("POST", "/api/bot/recover?dry_run=1")
    assert dry["actions"] == ["checked_positions", "created_tp", "created_leg_2", "created_leg_3"]
    first = trader.told("POST", "/api/bot/recover")
    second = trader.told("POST", "/api/bot/recover")

    assert first["actions"] == ["checked_positions", "created_tp", "created_leg_2", "created_leg_3"]
    assert second["actions"] == ["checked_positions", "no_missing_orders"]
    # The exchange keeps used ids for ever, so the new orders carry the next generation of their tags.
    again = {f"{tag}_1": order for tag, order in ladder(user, LONG_LEGS, 2, 3).items()}
    see(client, kept | again | {f"sm_tp_{user}_BTCUSDTUSDT_1": (Decimal(60_300), Decimal("0.016"))})


def numbers(client: Any) -> set[str]:
    """The exchange's own numbers of what rests."""
    return {order["id"] for order in client.fetch_open_orders(SYMBOL)}


@pytest.mark.slow
def test_a_restart_changes_no_order_and_the_bot_goes_on(
    exchange: Exchange, server: Server, start_server: Callable[..., Server]
) -> None:
    trader = server.sign_in("restart@example.com")
    trader.told("PUT", "/api/bot/settings", LADDER | {"exchange": exchange.name, "side": "long"})
    client, user = exchange.client(KEY, SECRET), trader.user_id
    trader.told("POST", "/api/bot/start")
    see(client, ladder(user, LONG_LEGS, 1, 2, 3) | target(user, "60300", "0.016"))
    before = numbers(client)

    assert server.program.stop() == 0
    assert numbers(client) == before
    exchange.price("59400")  # a leg fills while nobody is there
    again = start_server(BLITZ_PAPER_URL=exchange.url)

    assert again.program.line(r"Bots resumed: 1")
    see(client, ladder(user, LONG_LEGS, 2, 3) | target(user, "59998.5", "0.032"))
    if exchange.name == "bybit":  # which moves the take-profit in place
        assert numbers(client) < before
    assert len(numbers(client) & before) == {"bybit": 3, "bingx": 2}[exchange.name]


def test_killed_without_warning_the_bot_comes_back_to_the_same_orders(
    exchange: Exchange, server: Server, start_server: Callable[..., Server]
) -> None:
    trader = server.sign_in("killed@example.com")
    trader.told("PUT", "/api/bot/settings", LADDER | {"exchange": exchange.name, "side": "long"})
    client, user = exchange.client(KEY, SECRET), trader.user_id
    trader.told("POST", "/api/bot/start")
    see(client, ladder(user, LONG_LEGS, 1, 2, 3) | target(user, "60300", "0.016"))

    server.program.process.kill()
    server.program.process.wait(10)
    exchange.price("59400")
    start_server(BLITZ_PAPER_URL=exchange.url)

    see(client, ladder(user, LONG_LEGS, 2, 3) | target(user, "59998.5", "0.032"))


def preview(trader: Trader, exchange: Exchange, side: str) -> dict[str, Any]:
    settings = {key: LADDER[key] for key in LADDER if "api" not in key}
    return trader.told("POST", "/api/bot/preview", settings | {"exchange": exchange.name, "side": side})


def rows(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["price"], row["quantity"]) for row in told["legs"]]


def test_the_preview_shows_what_will_rest(exchange: Exchange, server: Server) -> None:
    trader = server.sign_in("preview@example.com")

    long, short = (preview(trader, exchange, side) for side in ("long", "short"))

    assert rows(long) == [("60000", "0.016"), *LONG_LEGS.values()]
    assert rows(short) == [("60000", "0.016"), *SHORT_LEGS.values()]
    entry = (
        Decimal(60_000) * Decimal("0.016") * {"bybit": Decimal("0.00055"), "bingx": Decimal("0.0005")}[exchange.name]
    )
    resting = sum(Decimal(price) * Decimal(quantity) for price, quantity in LONG_LEGS.values()) * Decimal("0.0002")
    assert Decimal(long["total"]["entry_fees"]) == pytest.approx(entry + resting, abs=Decimal("0.01"))

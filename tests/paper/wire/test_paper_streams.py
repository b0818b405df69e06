import asyncio
import json
import time

import aiohttp
import ccxt
import ccxt.pro
import pytest

from blitz.paper.wire.bybit.signing import hex_signature

SYMBOL = "BTC/USDT:USDT"
ONE_WAY = {"positionIdx": 0}


def in_a_loop(paper, story, **settings):
    """Run `story(client)` with a ccxt.pro client and close it properly."""

    async def run():
        client = ccxt.pro.bybit(paper.settings(**settings))
        client.has["fetchCurrencies"] = False
        try:
            await client.load_markets()
            return await asyncio.wait_for(story(client), 10)
        finally:
            await client.close()

    return asyncio.run(run())


async def subscribed(task):
    """Give a pending watch time to subscribe."""
    await asyncio.sleep(0.15)
    assert not task.done() or task.result()


async def control(paper, what, **body):
    return await asyncio.to_thread(lambda: paper.post(what, **body))


def test_public_topics_come_as_snapshot_and_change(paper):
    async def story(client):
        first = await client.watch_ticker(SYMBOL)
        book = await client.watch_order_book(SYMBOL)
        assert (first["last"], book["bids"][0][0]) == (60000, 60000)
        later = asyncio.ensure_future(client.watch_ticker(SYMBOL))
        trades = asyncio.ensure_future(client.watch_trades(SYMBOL))
        bars = asyncio.ensure_future(client.watch_ohlcv(SYMBOL, "1m"))
        await asyncio.sleep(0.15)
        await control(paper, "price", symbol="BTCUSDT", price="60100")
        assert (await later)["last"] == 60100
        assert (await trades)[-1]["price"] == 60100
        assert (await bars)[-1][4] == 60100
        while book["asks"][0][0] != 60100:
            book = await client.watch_order_book(SYMBOL)
        assert book["bids"][0][0] == 60100

    in_a_loop(paper, story)


def test_private_topics_tell_the_life_of_an_order(paper):
    async def story(client):
        orders = asyncio.ensure_future(client.watch_orders())
        trades = asyncio.ensure_future(client.watch_my_trades())
        client.options["watchPositions"] = {"fetchPositionsSnapshot": False}
        balance = asyncio.ensure_future(client.watch_balance())
        await asyncio.sleep(0.4)
        await client.create_order(SYMBOL, "limit", "buy", 0.01, 59000, {**ONE_WAY, "clientOrderId": "leg"})
        [order] = await orders
        assert (order["status"], order["clientOrderId"], order["symbol"]) == ("open", "leg", SYMBOL)
        positions = asyncio.ensure_future(client.watch_positions())
        await asyncio.sleep(0.15)
        await control(paper, "price", symbol="BTCUSDT", price="59000")
        [trade] = await trades
        assert (trade["price"], trade["takerOrMaker"]) == (59000, "maker")
        assert (await balance)["info"]
        assert (await positions)[0]["entryPrice"] == 59000

    in_a_loop(paper, story)


def test_orders_are_placed_amended_and_cancelled_over_the_trade_socket(paper):
    async def story(client):
        order = await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 59000, {**ONE_WAY, "clientOrderId": "ws"})
        assert order["clientOrderId"] == "ws"
        await client.edit_order_ws(order["id"], SYMBOL, "limit", "buy", 0.02, 59100)
        assert (await client.fetch_open_orders(SYMBOL))[0]["amount"] == 0.02
        await client.cancel_order_ws(order["id"], SYMBOL)
        assert await client.fetch_open_orders(SYMBOL) == []
        with pytest.raises(ccxt.InvalidOrder):
            await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 59000, {**ONE_WAY, "clientOrderId": "ws"})

    in_a_loop(paper, story)


def test_a_dropped_socket_is_an_error_and_the_next_watch_recovers(paper):
    async def story(client):
        watching = asyncio.ensure_future(client.watch_orders())
        await asyncio.sleep(0.3)
        assert (await control(paper, "faults", fault="drop_socket", account="alice", now=True))["broken"] == 1
        with pytest.raises(ccxt.NetworkError):
            await watching
        again = asyncio.ensure_future(client.watch_orders())
        await asyncio.sleep(0.3)
        await client.create_order(SYMBOL, "limit", "buy", 0.01, 59000, ONE_WAY)
        assert (await again)[0]["status"] == "open"

    in_a_loop(paper, story)


# -- frames as they are, without ccxt


def talk(paper, path, story):
    async def run():
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{paper.url}{path}") as socket:
            return await asyncio.wait_for(story(socket), 10)

    return asyncio.run(run())


async def ask(socket, **message):
    await socket.send_json(message)
    return json.loads(await socket.receive_str())


async def enter(socket, key="alice", topics=("order", "execution")):
    expires = str(int(time.time() * 1000) + 10_000)
    signature = hex_signature(f"{key}-secret", f"GET/realtime{expires}".encode())
    answer = await ask(socket, op="auth", args=[key, expires, signature])
    assert answer["success"] is True
    return await ask(socket, op="subscribe", req_id="1", args=list(topics))


def test_the_two_pongs_differ(paper):
    async def story(socket):
        return await ask(socket, op="ping", req_id="9")

    public, private = talk(paper, "/v5/public/linear", story), talk(paper, "/v5/private", story)
    assert (public["op"], public["ret_msg"], public["success"]) == ("ping", "pong", True)
    assert (private["op"], private["req_id"]) == ("pong", "9")


def test_private_topics_need_a_valid_login(paper):
    async def story(socket):
        refused = await ask(socket, op="subscribe", args=["order"])
        bad = await ask(socket, op="auth", args=["alice", str(int(time.time() * 1000) + 9_000), "00"])
        old = await ask(socket, op="auth", args=["alice", "1", hex_signature("alice-secret", b"GET/realtime1")])
        return refused, bad, old

    assert [answer["success"] for answer in talk(paper, "/v5/private", story)] == [False] * 3


def test_an_unknown_topic_fails_the_subscription(paper):
    async def story(socket):
        return await ask(socket, op="subscribe", args=["tickers.BTCUSDT", "weather.BTCUSDT"])

    answer = talk(paper, "/v5/public/linear", story)
    assert answer["success"] is False
    assert "weather" in answer["ret_msg"]


def test_frames_that_are_not_understood_do_not_end_the_link(paper):
    async def story(socket):
        for text in ("{", "[]", '{"op":"dance"}'):
            await socket.send_str(text)
            assert json.loads(await socket.receive_str())["success"] is False
        return await ask(socket, op="ping")

    assert talk(paper, "/v5/public/linear", story)["ret_msg"] == "pong"


def test_the_answer_comes_before_the_event_unless_a_rule_turns_it_round(paper, alice):
    async def story(socket):
        await enter(socket, topics=["order"])
        moments = []
        for _ in range(2):
            work = asyncio.ensure_future(asyncio.to_thread(alice.create_order, SYMBOL, "limit", "buy", 0.01, 59000))
            await socket.receive_str()
            moments.append(work.done())
            await work
            await control(paper, "faults", fault="event_before_reply", endpoint="order/create", delay_ms="300")
        return moments[1]

    assert talk(paper, "/v5/private", story) is False


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        ("duplicate_event", ["New", "New", "Cancelled"]),
        ("drop_event", ["Cancelled"]),
        ("delay_event", ["Cancelled", "New"]),
        ("garbage_frame", [None, "New", "Cancelled"]),
    ],
)
def test_events_can_be_doubled_lost_late_or_preceded_by_rubbish(paper, alice, fault, kinds):
    async def story(socket):
        await enter(socket, topics=["order"])
        await control(paper, "faults", fault=fault, endpoint="order", count="1", delay_ms="200")
        order = await asyncio.to_thread(alice.create_order, SYMBOL, "limit", "buy", 0.01, 59000, ONE_WAY)
        await asyncio.to_thread(alice.cancel_order, order["id"], SYMBOL)
        return [status(await socket.receive_str()) for _ in kinds]

    assert talk(paper, "/v5/private", story) == kinds


def status(text):
    try:
        return json.loads(text)["data"][0]["orderStatus"]
    except ValueError:
        return None


def test_a_frozen_socket_stays_open_and_says_nothing(paper, alice):
    async def story(socket):
        await enter(socket, topics=["order"])
        await control(paper, "faults", fault="freeze_socket")
        await asyncio.to_thread(alice.create_order, SYMBOL, "limit", "buy", 0.01, 59000, ONE_WAY)
        await socket.send_json({"op": "ping"})
        with pytest.raises(asyncio.TimeoutError):
            await socket.receive_str(timeout=0.3)
        return socket.closed

    assert talk(paper, "/v5/private", story) is False

"""The streams of the BingX door, heard by ccxt.pro and frame by frame."""

import asyncio
import gzip
import json
import time
from decimal import Decimal

import aiohttp
import ccxt
import ccxt.pro
import pytest
import requests

from blitz.paper.wire.bingx.streams import sockets
from tests.paper.bingx.test_bingx_trading import LONG, SYMBOL, buy, enter, take_profit

LISTEN = "/openApi/user/auth/userDataStream"


def in_a_loop(paper, story, **settings):
    """Run `story(client)` with a ccxt.pro client and close it properly."""

    async def run():
        client = ccxt.pro.bingx(paper.settings(**settings))
        client.has["fetchCurrencies"] = False
        client.options["watchBalance"] = {"fetchBalanceSnapshot": False, "awaitBalanceSnapshot": False}
        client.options["watchPositions"] = {"fetchPositionsSnapshot": False, "awaitPositionsSnapshot": False}
        try:
            await client.load_markets()
            return await asyncio.wait_for(story(client), 15)
        finally:
            await client.close()

    return asyncio.run(run())


async def control(paper, what, **body):
    return await asyncio.to_thread(lambda: paper.post(what, **body))


def listen_key(paper, key="alice"):
    return requests.post(f"{paper.url}{LISTEN}", headers={"X-BX-APIKEY": key}, timeout=5).json()["listenKey"]


class Line:
    """A plain websocket: what came, unzipped. It answers no ping."""

    def __init__(self, socket):
        self.socket = socket
        self.greeted = False
        self.hears_beats = False
        """Whether pings and the account as it comes every five seconds count as messages."""

    def _is_beat(self, message):
        is_account = isinstance(message, dict) and message.get("a", {}).get("m") == "INIT"
        beat = message == "Ping" or (is_account and self.greeted)
        self.greeted = self.greeted or is_account
        return beat and not self.hears_beats

    async def next(self, wanted=None, within=8.0):
        """The next message, or the next whose `e` is wanted."""
        async with asyncio.timeout(within):
            while True:
                frame = await self.socket.receive()
                if frame.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
                    return "closed"
                if frame.type is aiohttp.WSMsgType.TEXT:
                    return frame.data
                text = gzip.decompress(frame.data).decode()
                message = text if text == "Ping" else json.loads(text)
                if self._is_beat(message):
                    continue
                if wanted is None or (isinstance(message, dict) and message.get("e") == wanted):
                    return message


def talk(paper, story, key="alice", query=None):
    """Run `story(line)` on a private link, or on the link that `query` asks for."""

    async def run():
        asked = f"?listenKey={await asyncio.to_thread(listen_key, paper, key)}" if query is None else query
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{paper.url}/swap-market{asked}") as socket,
        ):
            return await story(Line(socket))

    return asyncio.run(run())


def test_public_topics_reach_ccxt(paper):
    async def story(client):
        assert (await client.watch_ticker(SYMBOL))["last"] == 60000
        book = await client.watch_order_book(SYMBOL)
        assert (book["bids"][0][0], book["asks"][0][0]) == (60000, 60000)
        ticker = asyncio.ensure_future(client.watch_ticker(SYMBOL))
        depth = asyncio.ensure_future(client.watch_order_book(SYMBOL))
        bars = asyncio.ensure_future(client.watch_ohlcv(SYMBOL, "1m"))
        trades = asyncio.ensure_future(client.watch_trades(SYMBOL))
        await asyncio.sleep(0.2)
        await control(paper, "price", symbol="BTCUSDT", price="60100")
        assert (await trades)[-1]["price"] == 60100
        assert (await bars)[-1][4] == 60100
        assert (await ticker)["last"] == 60100
        assert (await depth)["asks"][0][0] == 60100

    in_a_loop(paper, story)


def test_the_private_stream_tells_ccxt_of_orders_fills_positions_and_balance(paper):
    async def story(client):
        balance = asyncio.ensure_future(client.watch_balance())
        assert (await balance)["USDT"]["free"] == 10_000
        orders = asyncio.ensure_future(client.watch_orders())
        await asyncio.sleep(0.2)
        await client.create_order(SYMBOL, "limit", "buy", 0.01, 59000, {**LONG, "clientOrderId": "Leg"})
        [order] = await orders
        assert (order["status"], order["clientOrderId"], order["symbol"]) == ("open", "leg", SYMBOL)
        trades = asyncio.ensure_future(client.watch_my_trades())
        positions = asyncio.ensure_future(client.watch_positions())
        await asyncio.sleep(0.2)
        await control(paper, "price", symbol="BTCUSDT", price="59000")
        [trade] = await trades
        assert (trade["price"], trade["amount"], trade["id"]) == (59000, 0.01, None)
        found = await positions
        while not found:
            found = await client.watch_positions()
        assert (found[0]["entryPrice"], found[0]["side"], found[0]["contracts"]) == (59000, "long", 0.01)

    in_a_loop(paper, story)


def test_a_connection_begins_with_the_whole_account(paper, alice):
    enter(alice)

    async def story(line):
        first = await line.next()
        assert (first["e"], first["a"]["m"]) == ("ACCOUNT_UPDATE", "INIT")
        [position] = first["a"]["P"]
        assert (position["s"], position["pa"], position["ps"], position["mt"]) == ("BTC-USDT", "0.01", "LONG", "cross")
        assert first["a"]["B"][0]["a"] == "USDT"

    talk(paper, story)


def test_an_order_is_told_from_new_through_partly_filled_to_filled(paper, alice):
    paper.post("faults", fault="partial_fill", quantity="0.006")
    done = []

    async def story(line):
        await line.next()
        order = await asyncio.to_thread(buy, alice, "0.01", "59000")
        for price in ("59000", "59000"):
            await control(paper, "price", symbol="BTCUSDT", price=price)
        done.extend([(await line.next("ORDER_TRADE_UPDATE"))["o"] for _ in range(3)])
        assert {row["i"] for row in done} == {order["id"]}

    talk(paper, story)
    assert [(row["x"], row["X"], row["z"], row.get("l"), row.get("L")) for row in done] == [
        ("NEW", "NEW", "0", None, None),
        ("TRADE", "PARTIALLY_FILLED", "0.006", "0.006", "59000"),
        ("TRADE", "FILLED", "0.01", "0.004", "59000"),
    ]
    assert done[1]["n"].startswith("-")
    assert done[1]["ti"] != done[2]["ti"]


def test_a_market_order_that_walks_the_book_tells_every_slice_with_its_average(paper, alice):
    paper.post("book", symbol="BTCUSDT", first_level_notional="600")

    async def story(line):
        await line.next()
        await asyncio.to_thread(enter, alice, "0.029")
        rows = [(await line.next("ORDER_TRADE_UPDATE"))["o"] for _ in range(2)]
        assert [(row["X"], row["l"], row["z"]) for row in rows] == [
            ("PARTIALLY_FILLED", "0.01", "0.010"),
            ("FILLED", "0.019", "0.029"),
        ]
        assert Decimal(rows[0]["ap"]) == Decimal(rows[0]["L"]) == 60000
        value = 60000 * Decimal("0.01") + Decimal("60000.1") * Decimal("0.019")
        assert Decimal(rows[1]["ap"]) == (value / Decimal("0.029")).quantize(Decimal("1e-12"))
        account = await line.next("ACCOUNT_UPDATE")
        assert (account["a"]["m"], account["a"]["P"][0]["pa"]) == ("ORDER", rows[-1]["z"])

    talk(paper, story)


def test_a_cancel_and_a_changed_leverage_are_told(paper, alice):
    async def story(line):
        await line.next()
        order = await asyncio.to_thread(buy, alice)
        await asyncio.to_thread(alice.cancel_order, order["id"], SYMBOL)
        await line.next("ORDER_TRADE_UPDATE")
        gone = (await line.next("ORDER_TRADE_UPDATE"))["o"]
        assert (gone["x"], gone["X"]) == ("CANCELED", "CANCELED")
        await asyncio.to_thread(alice.set_leverage, 20, SYMBOL, {"side": "LONG"})
        changed = await line.next("ACCOUNT_CONFIG_UPDATE")
        assert changed["ac"] == {"s": "BTC-USDT", "l": 20, "S": 10, "mt": "cross"}

    talk(paper, story)


def test_a_triggered_stop_takes_its_room_before_it_closes(paper, alice):
    enter(alice)
    take_profit(alice)
    alice.create_order(SYMBOL, "market", "sell", "0.01", None, {**LONG, "stopLossPrice": "55000"})

    async def story(line):
        await line.next()
        await control(paper, "price", symbol="BTCUSDT", price="54000")
        told = [(await line.next("ORDER_TRADE_UPDATE"))["o"] for _ in range(2)]
        assert [(row["o"], row["X"]) for row in told] == [("LIMIT", "CANCELED"), ("STOP_MARKET", "FILLED")]
        account = await line.next("ACCOUNT_UPDATE")
        assert account["a"]["P"][0]["pa"] in ("0", "0.00")
        assert account["a"]["B"][0]["bc"].startswith("-60")

    talk(paper, story)


def test_funding_is_told_as_a_change_of_the_account(paper, alice):
    enter(alice, "0.1")

    async def story(line):
        await line.next()
        await control(paper, "clock", advance_ms=8 * 3_600_000)
        account = (await line.next("ACCOUNT_UPDATE"))["a"]
        assert (account["m"], account["B"][0]["bc"]) == ("FUNDING_FEE", "-0.60000000")

    # Venue time jumps over the hour of the listen key too; the charge is told before the key ends.
    talk(paper, story)


def test_everything_is_zipped_and_the_account_comes_again_every_five_seconds(paper):
    async def story(line):
        line.hears_beats = True
        await line.next()
        moments = []
        for _ in range(2):
            assert await line.next() == "Ping"
            account = await line.next()
            assert (account["e"], account["a"]["m"]) == ("ACCOUNT_UPDATE", "INIT")
            moments.append(account["E"])
        assert 4_500 < moments[1] - moments[0] < 6_500

    talk(paper, story)


def test_subscriptions_are_answered_one_by_one(paper):
    async def story(line):
        for name, expected in (("BTC-USDT@ticker", 0), ("NOPE-USDT@ticker", 80015), ("BTC-USDT@nothing", 80015)):
            await line.socket.send_str(json.dumps({"id": name, "reqType": "sub", "dataType": name}))
            answer = await line.next()
            assert (answer["id"], answer["code"]) == (name, expected)
            if not expected:
                assert (await line.next())["data"]["e"] == "24hTicker"
        await line.socket.send_str(json.dumps({"id": "x", "reqType": "unsub", "dataType": "BTC-USDT@ticker"}))
        assert (await line.next())["code"] == 0
        await line.socket.send_str("{")
        assert (await line.next())["code"] == 80015

    talk(paper, story, query="")


def test_a_link_takes_two_hundred_topics(paper, alice):
    async def story(line):
        pairs = [market["id"] for market in alice.markets.values()]
        bars = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d", "1w", "1M")
        kinds = (*(f"kline_{bar}" for bar in bars), "trade", "depth5")
        names = [f"{pair}@{kind}" for pair in pairs for kind in kinds]
        codes = []
        for name in names:
            await line.socket.send_str(json.dumps({"id": name, "reqType": "sub", "dataType": name}))
            answer = await line.next()
            while "id" not in answer:
                answer = await line.next()
            codes.append(answer["code"])
        assert len(names) > 200
        assert codes == [0] * 200 + [80403] * (len(names) - 200)

    talk(paper, story, query="")


def test_a_listen_key_that_is_not_in_force_opens_nothing(paper):
    with pytest.raises(aiohttp.WSServerHandshakeError):
        talk(paper, None, query="?listenKey=nonsense")
    answer = requests.post(f"{paper.url}{LISTEN}", headers={"X-BX-APIKEY": "carol"}, timeout=5)
    assert answer.json()["code"] == 100413


def test_a_listen_key_lives_for_an_hour_and_one_more_when_it_is_renewed(paper):
    async def story(line):
        line.hears_beats = True
        await line.next()
        started = time.monotonic()
        await control(paper, "clock", advance_ms=3_500_000)
        while await line.next() != "Ping":
            pass
        await control(paper, "clock", advance_ms=200_000)
        assert (await line.next("listenKeyExpired"))["listenKey"]
        assert await line.next() == "closed"
        assert time.monotonic() - started < 10

    talk(paper, story)


def test_a_renewed_listen_key_outlives_its_hour_and_an_ended_one_opens_nothing(paper):
    key = listen_key(paper)
    paper.post("clock", advance_ms=3_500_000)
    headers, wanted = {"X-BX-APIKEY": "alice"}, {"listenKey": key}
    renewed = requests.put(f"{paper.url}{LISTEN}", headers=headers, params=wanted, timeout=5)
    assert (renewed.status_code, renewed.content) == (200, b"")
    paper.post("clock", advance_ms=200_000)

    async def story(line):
        assert (await line.next())["e"] == "ACCOUNT_UPDATE"

    talk(paper, story, query=f"?listenKey={key}")
    assert requests.delete(f"{paper.url}{LISTEN}", headers=headers, params=wanted, timeout=5).content == b""
    with pytest.raises(aiohttp.WSServerHandshakeError):
        talk(paper, story, query=f"?listenKey={key}")
    assert requests.put(f"{paper.url}{LISTEN}", headers=headers, params=wanted, timeout=5).json()["code"] == 109400


def test_the_switch_ends_listen_keys_at_once(paper):
    async def story(line):
        await line.next()
        assert (await control(paper, "faults", fault="expire_listen_key", account="alice"))["expired"] == 1
        assert (await line.next("listenKeyExpired"))["e"] == "listenKeyExpired"
        assert await line.next() == "closed"

    talk(paper, story)


def test_a_link_that_answers_no_ping_is_dropped_and_one_that_does_is_kept(paper, monkeypatch):
    monkeypatch.setattr(sockets, "PING_EVERY_MS", 500)

    async def silent(line):
        line.hears_beats = True
        said = []
        while (message := await line.next(within=30)) != "closed":
            said.append(message)
        assert said.count("Ping") == 3

    talk(paper, silent)

    async def answering(line):
        line.hears_beats = True
        for _ in range(4):
            while (message := await line.next()) != "Ping":
                assert message != "closed"
            await line.socket.send_str("Pong")

    talk(paper, answering)


def test_a_dropped_link_is_an_error_to_ccxt_and_the_next_watch_recovers(paper):
    async def story(client):
        watching = asyncio.ensure_future(client.watch_orders())
        await asyncio.sleep(0.3)
        assert (await control(paper, "faults", fault="drop_socket", account="alice", now=True))["broken"] == 1
        with pytest.raises(ccxt.NetworkError):
            await watching
        again = asyncio.ensure_future(client.watch_orders())
        await asyncio.sleep(0.3)
        await client.create_order(SYMBOL, "limit", "buy", 0.01, 59000, LONG)
        assert (await again)[0]["status"] == "open"

    in_a_loop(paper, story)


@pytest.mark.parametrize(
    ("rule", "heard"),
    [
        ({"fault": "duplicate_event", "endpoint": "order"}, ["NEW", "NEW", "CANCELED"]),
        ({"fault": "drop_event", "endpoint": "order"}, ["CANCELED"]),
        ({"fault": "delay_event", "endpoint": "order", "delay_ms": "300"}, ["CANCELED", "NEW"]),
        ({"fault": "garbage_frame", "endpoint": "order"}, ["garbage", "NEW", "CANCELED"]),
        ({"fault": "odd_event", "endpoint": "order"}, ["Unknown", "NEW", "CANCELED"]),
        ({"fault": "freeze_socket"}, []),
        ({"fault": "drop_socket"}, ["closed"]),
    ],
)
def test_event_faults_work_on_this_door_too(paper, alice, rule, heard):
    got: list[str] = []

    async def story(line):
        await line.next()
        await control(paper, "faults", count="1", **rule)
        order = await asyncio.to_thread(buy, alice)
        await asyncio.to_thread(alice.cancel_order, order["id"], SYMBOL)
        while len(got) < len(heard):
            message = await line.next()
            if isinstance(message, str):
                got.append(message if message == "closed" else "garbage")
            elif message["e"] == "ORDER_TRADE_UPDATE":
                got.append(message["o"]["X"])
        if not heard:
            with pytest.raises(TimeoutError):
                await line.next(within=1)

    talk(paper, story)
    assert got == heard


def test_a_rule_about_executions_hits_the_fill(paper, alice):
    paper.post("faults", fault="drop_event", endpoint="execution")

    async def story(line):
        await line.next()
        await asyncio.to_thread(enter, alice)
        assert (await line.next())["e"] == "ACCOUNT_UPDATE"

    talk(paper, story)

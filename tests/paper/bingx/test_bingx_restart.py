"""A BingX account outlives the process: what it holds, what rests, which ids are taken, how it is set."""

import ccxt
import pytest

from tests.paper.bingx.test_bingx_trading import LONG, SYMBOL, buy, enter, take_profit


def settled(paper, client):
    state = paper.account()
    figures = {name: state[name] for name in ("balance", "positions", "orders", "fills", "isolated_symbols")}
    return figures, client.fetch_positions(), client.fetch_open_orders(SYMBOL), client.fetch_position_mode()


def test_everything_of_an_account_is_there_after_a_restart(start, tmp_path):
    paper = start(state_path=tmp_path / "paper.db")
    client = paper.client("alice")
    client.set_margin_mode("isolated", SYMBOL)
    client.set_leverage(7, SYMBOL, {"side": "SHORT"})
    enter(client, "0.02")
    buy(client, clientOrderId="Leg_1")
    take_profit(client, "0.02", clientOrderId="tp")
    client.create_order(SYMBOL, "market", "sell", "0.02", None, {**LONG, "stopLossPrice": "55000"})
    paper.post("accounts", key="alice", secret="alice-secret", exchange="bingx", permissions=[2, 3, 5])
    before = settled(paper, client)
    paper.server.stop()

    again = start(state_path=tmp_path / "paper.db")
    client = again.client("alice")
    assert settled(again, client) == before
    assert client.fetch_leverage(SYMBOL)["shortLeverage"] == 7
    assert client.account_v1_private_get_account_apipermissions()["data"]["permissions"] == [2, 3, 5]
    with pytest.raises(ccxt.DuplicateOrderId):
        buy(client, clientOrderId="LEG_1")
    again.price("54000")
    # On the way the leg filled; the stop closed the quantity that it was for, and the take-profit made that much room.
    assert [row["contracts"] for row in client.fetch_positions()] == ["0.01"]
    assert [(row["clientOrderId"], row["amount"]) for row in client.fetch_open_orders(SYMBOL)] == [("tp", "0.01")]


def test_a_listen_key_does_not_outlive_the_process(start, tmp_path):
    paper = start(state_path=tmp_path / "paper.db")
    client = paper.client("alice")
    key = client.user_auth_private_post_userdatastream()["listenKey"]
    paper.server.stop()

    client = start(state_path=tmp_path / "paper.db").client("alice")
    with pytest.raises(ccxt.BadRequest):
        client.user_auth_private_put_userdatastream({"listenKey": key})

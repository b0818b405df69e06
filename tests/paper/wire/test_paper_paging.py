import pytest

from blitz.paper.engine import VenueRefusal
from blitz.paper.wire.bybit.paging import PageRule, encode_cursor, page_of
from blitz.paper.wire.params import Params

SYMBOL = "BTC/USDT:USDT"
RULE = PageRule(default=3, largest=5)


def ranks(values, **query):
    return page_of(values, Params(query), RULE, lambda row: row)


def test_the_default_page_ends_with_a_cursor_and_the_last_without():
    first = ranks([7, 6, 5, 4])
    assert list(first.rows) == [7, 6, 5]
    last = ranks([7, 6, 5, 4], cursor=first.cursor)
    assert (list(last.rows), last.cursor) == ([4], "")


def test_a_limit_above_the_largest_is_cut():
    assert len(ranks(list(range(9, 0, -1)), limit="50").rows) == 5


def test_a_row_that_left_and_one_that_came_do_not_disturb_the_next_page():
    first = ranks([7, 6, 5, 4, 3])
    assert list(ranks([8, 7, 6, 4, 3], cursor=first.cursor).rows) == [4, 3]


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "x"}, {"cursor": "???"}, {"cursor": encode_cursor(3)[:-2]}]
)
def test_a_senseless_size_or_cursor_is_refused(query):
    with pytest.raises(VenueRefusal) as refused:
        ranks([3, 2, 1], **query)
    assert refused.value.code == 10001


def test_open_orders_come_twenty_at_a_time_and_all_of_them_over_the_cursor(alice):
    placed = [
        alice.create_order(SYMBOL, "limit", "buy", "0.001", str(50_000 + step), {"positionIdx": 0})["id"]
        for step in range(45)
    ]
    assert len(alice.fetch_open_orders(SYMBOL)) == 20
    assert len(alice.fetch_open_orders(SYMBOL, None, 500)) == 50 - 5
    found, cursor = [], ""
    while True:
        query = {"category": "linear", "symbol": "BTCUSDT", "cursor": cursor}
        result = alice.private_get_v5_order_realtime(query)["result"]
        found += [row["orderId"] for row in result["list"]]
        cursor = result["nextPageCursor"]
        if not cursor:
            break
    assert found == placed[::-1]


def test_a_history_window_is_seven_days_at_most(alice):
    now = alice.milliseconds()
    day = 86_400_000
    with pytest.raises(Exception, match="7 days"):
        alice.private_get_v5_execution_list({"category": "linear", "startTime": now - 8 * day, "endTime": now})
    old = alice.private_get_v5_execution_list({"category": "linear", "startTime": now - 30 * day})
    assert old["result"]["list"] == []

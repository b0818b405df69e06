"""What answers say about limits, per venue."""

from blitz.exchange.budget import BINGX, BYBIT, Answer, Told, read_bingx, read_bybit
from blitz.exchange.budget.answers import Scope

NOW_MS = 1_700_000_000_000


def bybit(status: int = 200, code: int | None = 0, **headers: str) -> Told:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_bybit(Answer(status=status, headers=named, code=code), BYBIT, NOW_MS)


def bingx(status: int = 200, code: int | None = 0, words: str = "", **headers: str) -> Told:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_bingx(Answer(status=status, headers=named, code=code, words=words), BINGX, NOW_MS)


def test_bybit_tells_what_is_left():
    assert bybit(x_bapi_limit="10", x_bapi_limit_status="7") == Told(limit=10, left=7, served=True)


def test_bybit_shuts_an_address_out_for_ten_minutes():
    assert bybit(status=403, code=None) == Told(shut=Scope.ADDRESS, shut_ms=600_000)


def test_bybit_10006_lasts_until_the_moment_it_names_and_never_longer_than_its_window():
    soon = str(NOW_MS + 400)
    assert bybit(code=10006, x_bapi_limit_reset_timestamp=soon) == Told(shut=Scope.USER, shut_ms=400, served=True)
    for odd in ("", "-5", "0", str(NOW_MS), str(NOW_MS + 10**9), "tomorrow", "²"):
        assert bybit(code=10006, x_bapi_limit_reset_timestamp=odd).shut_ms == 1_000


def test_bybit_10018_and_429_stop_the_address_for_its_window():
    assert bybit(code=10018) == Told(shut=Scope.ADDRESS, shut_ms=5_000)
    assert bybit(status=429, code=None, retry_after="30") == Told(shut=Scope.ADDRESS, shut_ms=30_000)


def test_an_answer_without_a_code_proves_nothing():
    assert bybit(code=None) == Told()
    assert bingx(code=None) == Told()


def test_bingx_tells_what_is_left():
    assert bingx(x_ratelimit_requests_remain="4") == Told(left=4, served=True)


def test_bingx_100410_lasts_five_minutes_or_until_the_moment_it_names():
    assert bingx(code=100410) == Told(shut=Scope.USER, shut_ms=300_000, served=True)
    named = f"over the limit, will be unblocked after {NOW_MS + 90_000}"
    assert bingx(code=100410, words=named).shut_ms == 90_000
    assert bingx(code=100410, words=f"unblocked after {NOW_MS + 10**8}").shut_ms == 300_000


def test_bingx_418_shuts_the_address_out_whether_status_or_code():
    assert bingx(status=418, code=None) == bingx(code=418) == Told(shut=Scope.ADDRESS, shut_ms=300_000)
    assert bingx(status=429) == Told(shut=Scope.ADDRESS, shut_ms=10_000)


def test_bingx_that_is_only_busy_is_left_alone_for_a_second():
    assert bingx(code=100410, words="The current system is busy, please try again later").shut_ms == 1_000

"""The whole truth table of the same-origin gate: 2 methods x 6 Sec-Fetch-Site x 4 Origins x 2 trust lists = 96 rows."""

from itertools import product

import pytest

from blitz.web.gate import Verdict, judge

OWN = "http://127.0.0.1:8000"
FOREIGN = "https://evil.example"
METHODS = ("GET", "POST")
SITES = (None, "same-origin", "none", "same-site", "cross-site", "nonsense")
ORIGINS = (None, OWN, FOREIGN, "null")
TRUSTED = ((), (FOREIGN,))
ROWS = list(product(METHODS, SITES, ORIGINS, TRUSTED))


def should_pass(method, site, origin, trusted):
    """The rule, said a second time and the other way round: what is refused."""
    if method == "GET" or origin in trusted:
        return True
    if site is None:
        return origin in (None, OWN)
    return site not in ("same-site", "cross-site", "nonsense")


def test_the_table_has_96_rows():
    assert len(ROWS) == 96


@pytest.mark.parametrize(("method", "site", "origin", "trusted"), ROWS)
def test_the_gate_decides_as_the_table_says(method, site, origin, trusted):
    verdict = judge(method=method, sec_fetch_site=site, origin=origin, own_origin=OWN, trusted=trusted)

    assert verdict.passes is should_pass(method, site, origin, trusted)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "anything"])
def test_every_method_that_is_not_known_as_safe_is_judged(method):
    assert not judge(method=method, sec_fetch_site="cross-site", origin=FOREIGN, own_origin=OWN).passes


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8001", "https://127.0.0.1:8000", "http://localhost:8000", ""])
def test_another_port_scheme_or_name_is_another_origin(origin):
    assert judge(method="POST", sec_fetch_site=None, origin=origin, own_origin=OWN) is Verdict.OTHER_SITE


def test_curl_is_not_a_browser():
    verdict = judge(method="POST", sec_fetch_site=None, origin=None, own_origin=OWN)

    assert verdict is Verdict.NOT_A_BROWSER
    assert not verdict.is_browser

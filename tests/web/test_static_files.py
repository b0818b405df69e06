"""Files of the pages, plain and compressed: nobody who keeps one is ever given a mixture."""

import gzip

import pytest

FILE = "/static/js/page.js"
PACKED = {"Accept-Encoding": "gzip"}


def fetch(client, method="GET", **headers):
    """The answer, read to its end."""
    answer = client.open(FILE, method=method, headers={name.replace("_", "-"): text for name, text in headers.items()})
    assert answer.data is not None
    answer.close()
    return answer


def test_plain_and_compressed_are_two_forms_that_no_cache_takes_for_each_other(still_client):
    plain, packed = fetch(still_client), fetch(still_client, **PACKED)

    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["Content-Length"] == str(len(packed.data)) != str(len(plain.data))
    assert {plain.headers["Vary"], packed.headers["Vary"]} == {"Accept-Encoding"}
    assert packed.headers["ETag"] == f"W/{plain.headers['ETag']}"


@pytest.mark.parametrize("headers", [{}, PACKED])
def test_what_a_browser_has_is_not_sent_again(still_client, headers):
    tag = fetch(still_client, **headers).headers["ETag"]

    again = fetch(still_client, **headers, If_None_Match=tag)

    assert (again.status_code, again.data, again.headers["Vary"]) == (304, b"", "Accept-Encoding")


def test_a_file_is_never_sent_in_parts_that_might_be_of_two_forms(still_client):
    plain, packed = fetch(still_client), fetch(still_client, **PACKED)

    on_top = fetch(still_client, **PACKED, Range="bytes=10-19", If_Range=packed.headers["ETag"])
    part = fetch(still_client, Range="bytes=10-19")

    assert (on_top.status_code, on_top.data) == (200, packed.data)
    assert (part.status_code, part.data, part.headers["Accept-Ranges"]) == (200, plain.data, "none")


def test_a_head_says_what_a_get_would_and_sends_nothing(still_client):
    got, head = fetch(still_client, **PACKED), fetch(still_client, "HEAD", **PACKED)

    assert head.data == b""
    for name in ("Content-Length", "Content-Encoding", "ETag", "Vary"):
        assert head.headers[name] == got.headers[name]

import base64
import secrets
import stat
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from blitz.errors import ConfigurationProblem, SecretUnreadable
from blitz.storage.secrets import SecretBox, cookie_key, load_or_create_key

KEY = bytes(range(32))
PLACE: dict[str, Any] = {"table": "users", "user_id": 7, "column": "api_secret"}


@pytest.fixture
def sealed(box):
    return box.seal("canary-secret", **PLACE)


def flipped(sealed, bit):
    raw = bytearray(base64.b64decode(sealed.removeprefix("v1:")))
    raw[bit // 8] ^= 1 << bit % 8
    return "v1:" + base64.b64encode(raw).decode()


@given(st.text(max_size=300))
def test_what_was_sealed_opens(text):
    box = SecretBox(KEY)

    assert box.open(box.seal(text, **PLACE), **PLACE) == text


def test_sealing_twice_gives_two_texts(box):
    assert len({box.seal("same", **PLACE) for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize("moved", [{"table": "bots"}, {"user_id": 8}, {"user_id": 77}, {"column": "api_key"}])
def test_a_secret_moved_elsewhere_does_not_open(box, sealed, moved):
    with pytest.raises(SecretUnreadable):
        box.open(sealed, **PLACE | moved)


def test_not_one_flipped_bit_is_overlooked(box, sealed):
    bits = 8 * len(base64.b64decode(sealed.removeprefix("v1:")))
    for bit in range(bits):
        with pytest.raises(SecretUnreadable):
            box.open(flipped(sealed, bit), **PLACE)


@pytest.mark.parametrize("damaged", ["", "v1:", "v1:AAAA", "v1:????", "plain", "v2:{rest}", ":{rest}", "v1:{rest}AAAA"])
def test_a_damaged_text_does_not_open(box, sealed, damaged):
    with pytest.raises(SecretUnreadable):
        box.open(damaged.format(rest=sealed.removeprefix("v1:")), **PLACE)


def test_another_key_does_not_open(sealed):
    with pytest.raises(SecretUnreadable) as caught:
        SecretBox(bytes(32)).open(sealed, **PLACE)

    assert "api_secret of user 7" in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_log_is_told_what_to_hide(sealed):
    told: list[str] = []
    box = SecretBox(KEY, on_open=told.append)

    box.open(sealed, **PLACE)
    box.seal("another", **PLACE)

    assert told == ["canary-secret", "another"]


def test_the_cookie_key_is_not_the_key_of_the_secrets():
    assert cookie_key(KEY) != KEY.hex()
    assert cookie_key(KEY) == cookie_key(KEY)
    assert cookie_key(bytes(32)) != cookie_key(KEY)
    assert len(bytes.fromhex(cookie_key(KEY))) == 32


def test_the_first_start_makes_a_private_key_file(tmp_path):
    path = tmp_path / "instance" / "secret.key"

    key = load_or_create_key(path, None)

    assert load_or_create_key(path, None) == key
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]


def test_two_first_starts_agree_on_one_key(tmp_path):
    keys = []
    threads = [
        threading.Thread(target=lambda: keys.append(load_or_create_key(tmp_path / "secret.key", None)))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(keys) == 16
    assert len(set(keys)) == 1


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o620])
def test_a_key_file_open_to_others_is_refused(tmp_path, mode):
    path = tmp_path / "secret.key"
    load_or_create_key(path, None)
    path.chmod(mode)

    with pytest.raises(ConfigurationProblem, match="chmod 600"):
        load_or_create_key(path, None)


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "00" * 31, "\xff\xfe"])
def test_a_damaged_key_file_is_refused_and_kept(tmp_path, content):
    path = tmp_path / "secret.key"
    path.write_text(content, encoding="latin-1")
    path.chmod(0o600)

    with pytest.raises(ConfigurationProblem, match="damaged"):
        load_or_create_key(path, None)

    assert path.read_text(encoding="latin-1") == content


def test_a_key_file_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(ConfigurationProblem, match="cannot be used"):
        load_or_create_key(tmp_path / "file" / "secret.key", None)


def test_a_given_key_needs_no_file(tmp_path):
    given_key = SecretStr(secrets.token_hex(32))
    path = tmp_path / "secret.key"

    key = load_or_create_key(path, given_key)

    assert key == load_or_create_key(path, given_key)
    assert key != load_or_create_key(path, SecretStr(secrets.token_hex(32)))
    assert not path.exists()


@pytest.mark.parametrize("weak", ["", "dev", "secret", "changeme", "a" * 64, "12345678" * 8])
def test_a_weak_given_key_is_refused(tmp_path, weak):
    with pytest.raises(ConfigurationProblem, match="too easy to guess") as caught:
        load_or_create_key(tmp_path / "secret.key", SecretStr(weak))

    assert not weak or weak not in str(caught.value)

"""The server's settings: what is read, what is refused, and in which words."""

import pytest

from blitz.errors import ConfigurationProblem
from blitz.settings import load_settings, settings_warnings

GOOD_KEY = "kX82-fqLw0-bN5vt-Zr7Ye-hD1mQ-s9Ju"


def test_without_any_setting_the_server_is_local_closed_and_keeps_its_files_at_home(home):
    settings = load_settings()

    assert (settings.web_host, settings.web_port, settings.registration) == ("127.0.0.1", 8000, "closed")
    assert settings.db_path == home / "instance" / "users.db"
    assert settings.log_path == home / "logs" / "app.log"
    assert settings_warnings(settings) == []


def test_the_environment_wins_over_the_env_file(home, monkeypatch):
    (home / ".env").write_text("WEB_PORT=8100\nLOG_LEVEL=debug\n")
    monkeypatch.setenv("WEB_PORT", "8200")

    settings = load_settings()

    assert (settings.web_port, settings.log_level) == (8200, "DEBUG")


def test_an_empty_value_is_no_value(home, monkeypatch):
    monkeypatch.setenv("BLITZ_DB_PATH", "")

    assert load_settings().db_path == home / "instance" / "users.db"


def test_a_relative_database_path_counts_from_home(home, monkeypatch):
    monkeypatch.setenv("BLITZ_DB_PATH", "data/mine.db")

    assert load_settings().db_path == home / "data" / "mine.db"


@pytest.mark.parametrize("where", ["environment", "env file"])
def test_every_value_can_come_from_a_file(home, monkeypatch, where):
    (home / "key").write_text(f"{GOOD_KEY}\n")
    (home / "port").write_text("8300\n")
    if where == "environment":
        monkeypatch.setenv("BLITZ_SECRET_KEY_FILE", str(home / "key"))
        monkeypatch.setenv("WEB_PORT_FILE", str(home / "port"))
    else:
        (home / ".env").write_text("BLITZ_SECRET_KEY_FILE=key\nWEB_PORT_FILE=port\n")

    settings = load_settings()

    assert settings.web_port == 8300
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value() == GOOD_KEY


def test_a_value_and_its_file_together_are_refused(home, monkeypatch):
    monkeypatch.setenv("WEB_PORT", "8000")
    monkeypatch.setenv("WEB_PORT_FILE", "port")

    with pytest.raises(ConfigurationProblem, match="WEB_PORT and WEB_PORT_FILE are both set"):
        load_settings()


def test_a_missing_value_file_is_named(home, monkeypatch):
    monkeypatch.setenv("BLITZ_SECRET_KEY_FILE", "nowhere")

    with pytest.raises(ConfigurationProblem, match="BLITZ_SECRET_KEY_FILE names nowhere, which cannot be read"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("LOG_LEVEL", "chatty", "'INFO'"),
        ("WEB_HOST", "http://localhost", "127.0.0.1"),
        ("WEB_HOST", "300.1.2.3", "127.0.0.1"),
        ("WEB_PORT", "80000", "between 0 and 65535"),
        ("WEB_PORT", "-1", "between 0 and 65535"),
        ("WEB_PORT", "8000.5", "between 0 and 65535"),
        ("WEB_PORT", "http", "between 0 and 65535"),
        ("BLITZ_REGISTRATION", "maybe", "'closed' or 'open'"),
        ("BLITZ_DATABASE_URL", "mysql://u:p@h/d", "postgresql://"),
        ("BLITZ_PAPER_URL", "127.0.0.1:8100", "http://127.0.0.1:8100"),
        ("BLITZ_PAPER_URL", "http://127.0.0.1:8100/v5", "without a path"),
        ("BLITZ_PAPER_URL", "http://127.0.0.1:99999", "without a path"),
        ("BLITZ_PAPER_URL", "http://paper.example.com", "on this machine"),
        ("BLITZ_REHEARSAL_URL", "https://api.bybit.com", "on this machine"),
        ("BLITZ_REHEARSAL_URL", "http://127.0.0.1:8200/v5", "without a path"),
        ("BLITZ_PAPER_FEED", "random", "synthetic:SEED"),
        ("BLITZ_PAPER_PORT", "x", "between 0 and 65535"),
        ("BLITZ_ALLOWED_HOSTS", "https://trade.example.org", "without http://"),
        ("BLITZ_TRUSTED_PROXIES", "proxy", "10.0.0.0/8"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_the_remedy(home, monkeypatch, name, value, remedy):
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationProblem) as refused:
        load_settings()

    assert str(refused.value).startswith(f"{name} ")
    assert remedy in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "key",
    ["sh0rt", "fifteen-letters", "your-secret-key-here", "YOUR_SECRET_KEY_HERE", "change-me-please-1234", "a" * 40,
     "supersecretkey123", "1234567890123456"],
)  # fmt: skip
def test_a_secret_key_that_can_be_guessed_is_refused_and_not_repeated(home, monkeypatch, key):
    monkeypatch.setenv("BLITZ_SECRET_KEY", key)

    with pytest.raises(ConfigurationProblem, match=r"^BLITZ_SECRET_KEY is refused") as refused:
        load_settings()

    assert key not in str(refused.value)


def test_secrets_are_not_shown_when_settings_are_printed(home, monkeypatch):
    monkeypatch.setenv("BLITZ_SECRET_KEY", GOOD_KEY)
    monkeypatch.setenv("BLITZ_DATABASE_URL", "postgresql://blitz:hunter22@db/blitz")

    settings = load_settings()

    assert GOOD_KEY not in repr(settings)
    assert "hunter22" not in repr(settings)
    assert settings.database_password is not None
    assert settings.database_password.get_secret_value() == "hunter22"


def test_lists_are_written_with_commas(home, monkeypatch):
    monkeypatch.setenv("BLITZ_ALLOWED_HOSTS", "Trade.example.org, localhost:8000,")
    monkeypatch.setenv("BLITZ_TRUSTED_PROXIES", "10.1.2.3/8,::1")

    settings = load_settings()

    assert settings.allowed_hosts == ("trade.example.org", "localhost:8000")
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1/128")


def test_a_misspelt_setting_is_pointed_out(home, monkeypatch):
    monkeypatch.setenv("BLITZ_PAPER_FED", "manual")

    assert settings_warnings(load_settings()) == [
        "The setting BLITZ_PAPER_FED is not known and does nothing; did you mean BLITZ_PAPER_FEED."
    ]


def test_keys_of_a_trader_in_the_env_file_are_ignored_and_said_to_be(home):
    (home / ".env").write_text("BYBIT_API_KEY=abc\nAPI_SECRET=def\n")

    warnings = settings_warnings(load_settings())

    assert len(warnings) == 2
    assert all("is ignored" in warning for warning in warnings)


@pytest.mark.parametrize(("host", "public"), [("127.0.0.1", False), ("localhost", False), ("::1", False),
                                              ("0.0.0.0", True), ("192.168.1.5", True)])  # fmt: skip
def test_a_server_that_others_can_reach_is_pointed_out(home, monkeypatch, host, public):
    monkeypatch.setenv("WEB_HOST", host)

    assert any("TLS" in warning for warning in settings_warnings(load_settings())) is public


def test_an_env_file_that_is_not_text_is_refused_in_one_sentence(home):
    (home / ".env").write_bytes(b"LOG_LEVEL=\xff\xfe")

    with pytest.raises(ConfigurationProblem, match="cannot be read: it is not UTF-8 text"):
        load_settings()


def test_a_home_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("BLITZ_HOME", str(tmp_path / "nowhere"))

    with pytest.raises(ConfigurationProblem, match="nowhere is not a folder"):
        load_settings()

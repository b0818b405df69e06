"""The server's settings: read once, from the environment and `.env`, and checked.

The commands and `blitz.app` call `load_settings()` and pass the frozen result on; nothing else in the package
reads the environment. These are settings of the whole server. What belongs to one trader (API keys, Telegram
tokens, ladders) lives in the database and is never read from here.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from blitz.errors import ConfigurationProblem

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SECRET_KEY_CHARACTERS_MIN = 32
# Keys that stand in documents, samples and tutorials. Compared without case, digits at the end, `-`, `_` and blanks.
WELL_KNOWN_SECRETS = frozenset(
    """
    yoursecretkeyhere yoursecretkey yoursecrethere mysecretkey mysupersecretkey supersecretkey supersecret topsecret
    secret secretkey thisisasecret thisisasecretkey notsosecret changeme changemeplease changethis changethiskey
    pleasechangeme replaceme replacewithasecretkey dev devkey devsecret devsecretkey development developmentkey test
    testing testkey testsecret testsecretkey default defaultsecretkey example examplesecretkey password
    passwordpassword blitzsecretkey insecure insecurekey djangoinsecure flasksecretkey abcdefghijklmnop
    abcdefghijklmnopqrstuvwxyz qwertyuiopasdfgh qwertyuiopasdfghjkl
    """.split()  # noqa: SIM905 - a list of eighty quoted words would hide the words
)
OTHER_BLITZ_NAMES = frozenset({"BLITZ_HOME", "BLITZ_TEST_PG_URL"})
USER_SECRET_NAME = re.compile(r"(^|_)(API_?KEY|API_?SECRET|TELEGRAM_TOKEN|TELEGRAM_CHAT_ID)$")

CommaList = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """What the whole server is set up with. Built by `load_settings`; never changes afterwards."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        case_sensitive=True,
        populate_by_name=True,
        env_ignore_empty=True,
        env_file_encoding="utf-8",
    )

    home: Path = PROJECT_ROOT
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field("INFO", validation_alias="LOG_LEVEL")
    web_host: str = Field("127.0.0.1", validation_alias="WEB_HOST")
    web_port: int = Field(8000, validation_alias="WEB_PORT", ge=0, le=65535)
    db_path: Path = Field(Path("instance/users.db"), validation_alias="BLITZ_DB_PATH", validate_default=True)
    database_url: SecretStr | None = Field(None, validation_alias="BLITZ_DATABASE_URL")
    secret_key: SecretStr | None = Field(None, validation_alias="BLITZ_SECRET_KEY")
    registration: Literal["closed", "open"] = Field("closed", validation_alias="BLITZ_REGISTRATION")
    paper_url: str | None = Field(None, validation_alias="BLITZ_PAPER_URL")
    paper_feed: str = Field("synthetic", validation_alias="BLITZ_PAPER_FEED")
    paper_port: int = Field(0, validation_alias="BLITZ_PAPER_PORT", ge=0, le=65535)
    paper_limits: bool | None = Field(None, validation_alias="BLITZ_PAPER_LIMITS")
    """Whether the paper exchange has request limits; by default one that runs alone has, and the embedded one not."""
    rehearsal_url: str | None = Field(None, validation_alias="BLITZ_REHEARSAL_URL")
    """A paper exchange on this machine that answers demo and live in the exchanges' place; for rehearsals and tests."""
    allowed_hosts: CommaList = Field((), validation_alias="BLITZ_ALLOWED_HOSTS")
    trusted_proxies: CommaList = Field((), validation_alias="BLITZ_TRUSTED_PROXIES")

    @property
    def instance_path(self) -> Path:
        """Folder of the key file and of everything else that is private to this server; absolute, mode 0700."""
        return self.home / "instance"

    @property
    def log_path(self) -> Path:
        """The log file, absolute."""
        return self.home / "logs" / "app.log"

    @property
    def key_path(self) -> Path:
        """The file with the key that seals the traders' secrets; mode 0600, made at the first start."""
        return self.instance_path / "secret.key"

    @property
    def database(self) -> str | Path:
        """What `blitz.storage.database.Database.open` takes: the URL when one is set, else the SQLite path."""
        return self.database_url.get_secret_value() if self.database_url else self.db_path

    @property
    def database_password(self) -> SecretStr | None:
        """The password inside the database URL, for striking it out of logs."""
        password = urlsplit(self.database_url.get_secret_value()).password if self.database_url else None
        return SecretStr(password) if password else None

    @property
    def has_paper_limits(self) -> bool:
        """Whether requests to the paper exchange are to stay within limits."""
        return self.paper_limits if self.paper_limits is not None else self.paper_url is not None

    @property
    def is_public(self) -> bool:
        """Whether other machines can reach the pages, which asks for TLS in front."""
        return not is_loopback(self.web_host)

    @field_validator("log_level", "registration", mode="before")
    @classmethod
    def _ignore_case(cls, value: object, info: Any) -> object:
        if not isinstance(value, str):
            return value
        word = value.strip()
        return word.upper() if info.field_name == "log_level" else word.lower()

    @field_validator("web_host")
    @classmethod
    def _plain_host(cls, value: str) -> str:
        host = value.strip()
        if not is_host(host):
            raise ValueError("an address or host name alone, such as 127.0.0.1 or 0.0.0.0")
        return host

    @field_validator("db_path")
    @classmethod
    def _absolute(cls, value: Path, info: Any) -> Path:
        home: Path = info.data["home"]
        return (home / value.expanduser()).resolve()

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        url = value.get_secret_value().strip()
        scheme, separator, rest = url.partition("://")
        if not separator or not rest or scheme.partition("+")[0] not in ("postgresql", "sqlite"):
            raise ValueError("a URL such as postgresql://user:password@host/name")
        return SecretStr(url)

    @field_validator("secret_key")
    @classmethod
    def _strong_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            check_secret_key(value.get_secret_value())
        return value

    @field_validator("paper_url", "rehearsal_url")
    @classmethod
    def _plain_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        url = value.strip().rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not is_netloc(parts.netloc) or parts.path or parts.query:
            raise ValueError("a URL without a path, such as http://127.0.0.1:8100")
        if not is_loopback(parts.hostname or ""):
            # Accounts are opened over its control interface, which answers this machine only; a key goes nowhere else.
            raise ValueError("a URL on this machine, such as http://127.0.0.1:8100")
        return url

    @field_validator("paper_feed")
    @classmethod
    def _known_feed(cls, value: str) -> str:
        feed = value.strip()
        if not re.fullmatch(r"synthetic(:\d+)?|manual|candles:.+|live:.+", feed):
            raise ValueError("one of synthetic, synthetic:SEED, candles:FILE, manual, live:EXCHANGE")
        return feed

    @field_validator("allowed_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part for part in (each.strip().lower() for each in value.split(",")) if part)
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(is_netloc(each) for each in value):
            raise ValueError("host names separated by commas, such as trade.example.org, without http:// and paths")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(str(ipaddress.ip_network(each, strict=False)) for each in value)
        except ValueError:
            raise ValueError("addresses or networks separated by commas, such as 127.0.0.1 or 10.0.0.0/8") from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class passes it by name
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over `.env`; a value in a file (`<NAME>_FILE`) stands where its plain form would."""
        assert isinstance(init_settings, InitSettingsSource)
        assert isinstance(dotenv_settings, DotEnvSettingsSource)
        home = init_settings.init_kwargs.get("home", PROJECT_ROOT)
        from_file = read_env_file(dotenv_settings.env_file) if isinstance(dotenv_settings.env_file, Path) else {}
        return (
            init_settings,
            env_settings,
            NamedFileSource(settings_cls, os.environ, home),
            dotenv_settings,
            NamedFileSource(settings_cls, from_file, home),
        )


class NamedFileSource(PydanticBaseSettingsSource):
    """Reads `<NAME>_FILE`: the value is the content of that file, as container secrets are handed over."""

    def __init__(self, settings_cls: type[BaseSettings], variables: Mapping[str, str], home: Path) -> None:
        super().__init__(settings_cls)
        self._variables = variables
        self._home = home

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Read one field's file; `None` when the variable is not set."""
        name = str(field.validation_alias)
        path = self._variables.get(f"{name}_FILE", "")
        if not path:
            return None, name, False
        if self._variables.get(name):
            raise ConfigurationProblem(f"{name} and {name}_FILE are both set; keep one of them.")
        try:
            return (self._home / Path(path).expanduser()).read_text(encoding="utf-8").strip(), name, False
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ConfigurationProblem(f"{name}_FILE names {path}, which cannot be read: {reason}.") from error

    def __call__(self) -> dict[str, Any]:
        """Every value that is handed over in a file, by variable name."""
        found = {}
        for field_name, field in self.settings_cls.model_fields.items():
            if field.validation_alias is None:
                continue
            value, name, _ = self.get_field_value(field, field_name)
            if value is not None:
                found[name] = value
        return found


def load_settings() -> Settings:
    """Read and check the settings. Raises `ConfigurationProblem`: one sentence naming the variable and the remedy."""
    home = find_home()
    env_file = home / ".env"
    read_env_file(env_file)
    try:
        return Settings(home=home, _env_file=env_file)
    except ValidationError as error:
        raise ConfigurationProblem(explain(error)) from None


def settings_warnings(settings: Settings) -> list[str]:
    """Sentences about settings that are allowed but probably not meant."""
    warnings = []
    from_file = read_env_file(settings.home / ".env")
    known = known_names()
    for name in sorted({*from_file, *os.environ}):
        if name.startswith("BLITZ_") and name not in known:
            near = get_close_matches(name, known, n=1)
            meant = f"; did you mean {near[0]}" if near else ""
            warnings.append(f"The setting {name} is not known and does nothing{meant}.")
    warnings += [
        f"The setting {name} in .env is ignored: keys and tokens of a trader belong into the settings page."
        for name in sorted(from_file)
        if USER_SECRET_NAME.search(name)
    ]
    if settings.is_public:
        warnings.append(
            f"WEB_HOST={settings.web_host} lets other machines in: put a proxy with TLS in front, or use 127.0.0.1."
        )
    return warnings


def known_names() -> set[str]:
    """Every variable that means something here."""
    names = {str(field.validation_alias) for field in Settings.model_fields.values() if field.validation_alias}
    return names | {f"{name}_FILE" for name in names} | OTHER_BLITZ_NAMES


def find_home() -> Path:
    """The folder that holds `.env`, `instance/` and `logs/`: `BLITZ_HOME`, else the project's own."""
    given = os.environ.get("BLITZ_HOME", "").strip()
    if not given:
        return PROJECT_ROOT
    home = Path(given).expanduser().resolve()
    if not home.is_dir():
        raise ConfigurationProblem(f"BLITZ_HOME={given} is not a folder; make it first or name another one.")
    return home


def read_env_file(path: Path) -> dict[str, str]:
    """Read `.env`; no file is no settings. Raises `ConfigurationProblem` when it cannot be read."""
    try:
        path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigurationProblem(f"The settings file {path} cannot be read: {reason}.") from error
    return {name: value for name, value in dotenv_values(path, encoding="utf-8").items() if value is not None}


def explain(error: ValidationError) -> str:
    """Turn the first fault into a sentence: the variable, what it said, what would be right."""
    fault = error.errors(include_url=False)[0]
    place = str(fault["loc"][0])
    field_name, field = next(
        (own, each) for own, each in Settings.model_fields.items() if place in (own, each.validation_alias)
    )
    name = str(field.validation_alias or field_name)
    reason = fault.get("ctx", {}).get("error") or fault["msg"]
    if field.annotation is int:
        reason = "a whole number between 0 and 65535"
    elif fault["type"] == "literal_error":
        reason = f"one of {fault['ctx']['expected']}"
    if name == "BLITZ_SECRET_KEY":
        return f"BLITZ_SECRET_KEY is refused: {reason}."
    shown = "" if "SecretStr" in str(field.annotation) else f" {fault['input']!r}"
    return f"{name} is set to{shown or ' something'} that cannot be used; it should be {reason}."


def check_secret_key(key: str) -> None:
    """Refuse a key that somebody could guess. Raises `ValueError` with the reason and the remedy."""
    remedy = "leave it out and the server makes its own, or take 32 random characters"
    if len(key.strip()) < SECRET_KEY_CHARACTERS_MIN:
        raise ValueError(f"it is shorter than {SECRET_KEY_CHARACTERS_MIN} characters; {remedy}")
    plain = re.sub(r"[-_\s.!]", "", key.casefold())
    if plain.rstrip("0123456789") in WELL_KNOWN_SECRETS | {""} or len(set(plain)) < SECRET_KEY_CHARACTERS_MIN // 4:
        raise ValueError(f"it is one that everybody knows or can guess; {remedy}")


def is_host(text: str) -> bool:
    """Say whether `text` is an IP address or a host name, without scheme, port or path."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return re.fullmatch(r"(?!-)[A-Za-z0-9.-]{1,253}(?<!-)", text) is not None and not re.fullmatch(r"[\d.]+", text)
    return True


def is_loopback(host: str) -> bool:
    """Say whether `host` names this machine and nothing that others could reach."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_netloc(text: str) -> bool:
    """Say whether `text` is a host with or without a port; a leading dot or `*.` stands for every subdomain."""
    match = re.fullmatch(r"(?:\*?\.)?(\[[0-9a-fA-F:]+\]|[^:\[\]@/]+)(?::(\d{1,5}))?", text)
    return match is not None and is_host(match[1].strip("[]")) and int(match[2] or 0) <= 65535

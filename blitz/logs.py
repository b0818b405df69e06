"""Logging: one sentence plus fields per line, to the console and to `logs/app.log`, with every secret struck out.

The commands call `configure_logging` once. Any module then writes `structlog.get_logger(__name__).info("Bot
started.", user_id=3)`; records of libraries come out in the same form. Whoever decrypts or receives a secret
calls `register_secret`. Nothing here ever raises into the caller: trading does not stop for a full disk.
"""

import logging
import logging.config
import re
import sys
import threading
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from blitz.redaction import mask_key, redact, register_secret

__all__ = ["configure_logging", "mask_key", "redact", "register_secret"]

LOG_FILE_BYTES_MAX = 5_000_000
LOG_FILES_KEPT = 5
# These say at INFO what nobody reads, and some put whole URLs, with their tokens, into it.
QUIET_LOGGERS = (
    "aiohttp.access", "alembic", "asyncio", "ccxt", "cheroot", "httpcore", "httpx", "picows", "requests", "sqlalchemy",
    "urllib3", "werkzeug",
)  # fmt: skip
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
SECRET_FIELD = re.compile(
    r"(api_?)?secret|pass(word|phrase)|token|cookie|authori[sz]ation|signature|csrf|private_?key|session_?id|x-bapi-sign",
    re.IGNORECASE,
)
KEY_FIELD = re.compile(r"api_?key|key_?id|x-bapi-api-key", re.IGNORECASE)
EVENT_COLUMN = 48


def configure_logging(level: str = "INFO", log_path: Path | None = None) -> None:
    """Send everything at `level` and above to stderr and, when given, to the rotating file at `log_path`.

    A file that cannot be written costs one warning on the console and nothing else.
    """
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*SHARED_PROCESSORS, structlog.stdlib.ExtraAdder(), drop_copy],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, strike_fields, render],
    )
    handlers: list[logging.Handler] = [ConsoleHandler()]
    problem = add_file_handler(handlers, log_path) if log_path else None
    root = logging.getLogger()
    for old in list(root.handlers):
        if getattr(old, "belongs_to_blitz", False):
            root.removeHandler(old)
            old.close()
    for handler in handlers:
        handler.setFormatter(formatter)
        handler.belongs_to_blitz = True  # type: ignore[attr-defined]  # told apart from pytest's and others' handlers
        root.addHandler(handler)
    root.setLevel(level)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED_PROCESSORS,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    if problem:
        structlog.get_logger(__name__).warning(problem)


def add_file_handler(handlers: list[logging.Handler], log_path: Path) -> str | None:
    """Add the rotating file, readable by this user alone. Returns a sentence when that is not possible."""
    try:
        log_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        log_path.touch(mode=0o600)
        handlers.append(PatientFileHandler(log_path, maxBytes=LOG_FILE_BYTES_MAX, backupCount=LOG_FILES_KEPT))
    except OSError as error:
        return f"The log file {log_path} cannot be written ({error.strerror}); logging goes to the console only."
    return None


class ConsoleHandler(logging.StreamHandler[Any]):
    """Writes to what stderr is at that moment, not to what it was when logging started."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        """The console."""
        return sys.stderr


class PatientFileHandler(RotatingFileHandler):
    """A rotating file that says once that it cannot be written, instead of a traceback per record."""

    def __init__(self, path: Path, *, maxBytes: int, backupCount: int) -> None:  # noqa: N803 - the base class's names
        super().__init__(path, maxBytes=maxBytes, backupCount=backupCount, encoding="utf-8")
        self._complained = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - the base class's names
        """Complain on the console, once."""
        if self._complained:
            return
        self._complained = True
        error = sys.exc_info()[1]
        sys.stderr.write(f"The log file {self.baseFilename} cannot be written: {error}. Going on without it.\n")


def add_thread(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Name the thread unless it is the main one: a bot's lines are found by `thread=bot_user_7`."""
    name = threading.current_thread().name
    if name != "MainThread":
        event.setdefault("thread", name)
    return event


def drop_copy(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop the second copy of the sentence that another handler's formatter may have left in the record."""
    if event.get("message") == event.get("event"):
        event.pop("message", None)
    return event


SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    add_thread,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]


def strike_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Strike out fields whose name says that they are secret, however deep they lie."""
    return {name: strike(name, value) for name, value in event.items()}


def strike(name: str, value: Any) -> Any:
    """Return what may be shown of one field."""
    if isinstance(value, Mapping):
        return {str(key): strike(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [strike(name, each) for each in value]
    if value is None or isinstance(value, bool):
        return value
    if KEY_FIELD.search(name):
        return mask_key(str(value))
    if SECRET_FIELD.search(name):
        return "***"
    return value


def render(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Write the line: time, level, sentence, fields; a traceback follows, indented, so that no text can fake a line."""
    at, level, name = event.pop("timestamp", ""), str(event.pop("level", "")).upper(), event.pop("logger", "")
    trace = [str(event.pop(each)) for each in ("exception", "stack") if event.get(each)]
    sentence = escape(redact(str(event.pop("event", ""))))
    event["logger"] = name
    fields = " ".join(f"{escape(key)}={field_text(value)}" for key, value in event.items() if value != "")
    line = f"{at} {level:<8} {sentence:<{EVENT_COLUMN}} {fields}"
    for part in trace:
        line += "".join(f"\n    | {escape(each)}" for each in redact(part).splitlines())
    return line


def field_text(value: Any) -> str:
    """Write a field's value so that it stays one readable word, quoted when it holds blanks."""
    text = escape(redact(value if isinstance(value, str) else str(value)))
    return f'"{text}"' if " " in text or "=" in text else text


def escape(text: str) -> str:
    """Show line breaks, terminal sequences and other control characters instead of obeying them."""
    return CONTROL_CHARACTERS.sub(lambda match: repr(match[0])[1:-1], text)

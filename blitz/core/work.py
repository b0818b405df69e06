"""The words a pass is asked with and answers with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    """What a pass may do."""

    TRADE = "trade"
    """Everything: enter, keep the ladder and the exits, book the cycle, start the next."""
    STOP_PULL = "stop_pull"
    """Take back own resting legs, keep the exits fitting the position, send nothing new."""
    STOP_KEEP = "stop_keep"
    """End at once; everything stays where it rests."""
    CLOSE = "close"
    """Take back the legs and close the position at market, reduce-only."""
    RECOVER = "recover"
    """Only create what is missing (S10): never cancel, amend, enter or close."""
    RECOVER_DRY = "recover_dry"
    """Only say what recover would create."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The bot ends: `code` for programs, `message` for the trader."""

    code: str
    """`stopped`, `cycle_done`, or a reason that needs a person, such as `foreign_position`."""
    message: str
    words: tuple[str, ...] = ()
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Sentences per settings field, when it was the settings that could not trade."""
    refused: bool = False
    """The bot never got going: start answers with the message instead of `started`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What a step did, in words such as `created_tp`, and how to go on."""

    words: tuple[str, ...] = ()
    open: bool = False
    """Something was sent or left whose end is not known yet."""
    idle: bool = False
    """Nothing to do until something happens."""
    wake_in_ms: int | None = None

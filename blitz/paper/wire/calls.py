"""One request to the venue as the handlers see it: who asks, with which parameters, at what venue time.

The gates of both dialects and the trade socket make `Call`s; the modules below `bybit` and `bingx` answer them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from blitz.paper.engine import Account, Venue
from blitz.paper.wire.faults import FaultRule
from blitz.paper.wire.params import Params, invalid
from blitz.paper.wire.views import AccountView

Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request whose signature, time and rate were already checked."""

    venue: Venue
    params: Params
    now_ms: int
    key: str = ""
    view: AccountView | None = None
    """What reads may see; an older state than the present when a lag was injected."""
    fault: FaultRule | None = None
    """A fault that strikes in the middle of the request."""

    @property
    def account(self) -> Account:
        """The signed account. Only handlers of signed routes ask."""
        account = self.venue.account(self.key)
        assert account is not None, "a signed route was called without an account"
        return account

    @property
    def seen(self) -> AccountView:
        """The account's lists as this request may see them."""
        assert self.view is not None, "a signed route was called without a view"
        return self.view


Handler = Callable[[Call], Any]
"""Answers with what the envelope of the dialect holds. Refuses with `VenueRefusal`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An endpoint. `changes` says whether it may change the venue: only those are saved and never read the past."""

    method: str
    path: str
    answer: Handler
    signed: bool = True
    changes: bool = False
    bare: bool = False
    """Its answer has no envelope, and the key alone opens it: BingX's listen keys."""
    halves: bool = False
    """It does two things one after the other, and a fault may come in between."""
    alias: str = ""
    """What the other dialect calls the same thing, so that one fault rule can mean both."""

    @property
    def names(self) -> tuple[str, ...]:
        """What a fault rule may call this endpoint."""
        own = (self.path, f"{self.method} {self.path}")
        return (*own, self.alias) if self.alias else own


def word_of(params: Params, name: str, words: type[Word], default: Word) -> Word:
    """A parameter that must be one of an enum's words."""
    text = params.text(name)
    if not text:
        return default
    try:
        return words(text)
    except ValueError:
        raise invalid(name) from None

"""An order at the in-memory venue: whose it is, and what a reader saw of it at any moment."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from blitz.core.orders import Direction, OpenOrder


class VenueIds(StrEnum):
    """What the venue thinks of a client order id it has seen before."""

    NEVER = "never"
    """A used id stays taken for ever."""
    REUSABLE = "reusable"
    """An id is taken while an order with it is open."""
    UNENFORCED = "unenforced"
    """Duplicates are accepted."""


class Owner(StrEnum):
    """Who sent an order."""

    BOT = "bot"
    HUMAN = "human"
    COPY = "copy"
    """A copy of the server, or another user's bot, on the same account."""
    VENUE = "venue"
    """The venue itself: liquidation, deleveraging."""


@dataclass(slots=True, kw_only=True)
class VenueOrder:
    """An order and everything it ever was."""

    owner: Owner
    shown: OpenOrder
    terminal: bool = False
    reason: str = ""
    triggered: bool = False
    ended_ms: int = 0
    versions: list[tuple[int, OpenOrder, bool, str]] = field(default_factory=list)
    """Time and what a reader saw from then on."""

    def note(self, now_ms: int) -> None:
        """Keep the present state as the newest version."""
        self.versions.append((now_ms, self.shown, self.terminal, self.reason))

    def at(self, moment_ms: int) -> tuple[OpenOrder, bool, str] | None:
        """What a reader at that moment saw; None before the order existed."""
        for at_ms, shown, terminal, reason in reversed(self.versions):
            if at_ms <= moment_ms:
                return shown, terminal, reason
        return None

    @property
    def waits(self) -> bool:
        """Whether it still waits for its trigger."""
        return self.shown.trigger is not None and not self.triggered

    @property
    def waits_at(self) -> Decimal:
        """The price at which it goes off or fills."""
        at = self.shown.trigger if self.waits else self.shown.price
        assert at is not None, "only limit orders and stops wait"
        return at


def crosses(shown: OpenOrder, price: Decimal) -> bool:
    """Whether a limit order would fill at once at that price."""
    assert shown.price is not None
    return price <= shown.price if shown.direction is Direction.BUY else price >= shown.price

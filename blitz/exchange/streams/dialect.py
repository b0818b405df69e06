"""How a venue speaks on a websocket: which frames to send, and what those that arrive mean.

One dialect per connection, used by the loop thread and without any I/O of its own: it answers with `Told`. What
cannot be read is `Malformed`: counted and left aside, because no single frame is needed for anything to be right (B6).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from blitz.exchange.streams.happenings import Happening

UNCOUNTED = 2**31
"""More than anybody opens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """What a venue allows of new connections and silence. Times in seconds."""

    connections: int
    """New connections per window and address."""
    window_seconds: float
    sockets_max: int = UNCOUNTED
    """Connections open at a time per address."""
    sockets_for_prices: int = 0
    """So many of them no private stream takes: every told bot needs prices, should an event be lost."""
    ping_seconds: float = 5.0
    """How often a client says something, so that a dead link is found soon."""
    silence_seconds: float = 12.0
    """A link on which nothing arrives for this long is dead, whatever TCP says (B3)."""

    def lifted(self) -> "StreamLimits":
        """The same for an exchange that counts no connections."""
        return replace(self, connections=UNCOUNTED, sockets_max=UNCOUNTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of one frame."""

    happenings: Sequence[Happening] = ()
    answers: Sequence[str | bytes] = ()
    """Frames to send in return."""
    is_ready: bool = False
    """From now on the stream tells of everything it was asked for."""
    refused: str = ""
    """The venue does not want this link: why, as a sentence. It is closed and tried again, ever more slowly."""


NOTHING = Told()


class Dialect(Protocol):
    """One connection's way of speaking."""

    limits: StreamLimits
    name: str
    """Whose stream this is, for the log; never a key."""

    def address(self) -> str:
        """Where to connect. May ask the venue over HTTP and wait for it: called on a helper thread.

        Raises `GatewayProblem` with a sentence when there is no such address now.
        """

    def greeting(self) -> Sequence[str | bytes]:
        """Frames to send once the link is open."""

    def can_wait(self, frame: bytes) -> bool:
        """Whether this frame only tells what goes with fills, as far as its beginning shows; then `read` is called
        when somebody needs it, by any thread.
        """

    def read(self, frame: bytes) -> Told:
        """What a frame says. Raises `Malformed`."""

    def ping(self) -> str | bytes | None:
        """The frame that keeps the link alive; None where the venue asks and the client only answers."""

    def renew_seconds(self) -> float | None:
        """How often `renew` is due while the link is open; None: never."""

    def renew(self) -> None:
        """Lengthen what the address depends on. Waits for HTTP, on a helper thread. Raises `GatewayProblem`."""


class PublicDialect(Dialect, Protocol):
    """A dialect that tells the prices of the markets it was asked for."""

    def add(self, symbol: str) -> str | bytes:
        """Ask for one more market: the frame to send now. The next greeting asks for it too."""

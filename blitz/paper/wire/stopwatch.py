"""Times how long clients take from a fill to their next order: for benches, over the control interface.

From the moment an execution is handed to the network, or has happened where nobody listens, until the account's next
order, amend or replacement has arrived here. Off until somebody asks for it.
"""

import time
from collections.abc import Collection

ORDERS = ("order/create", "order/amend", "trade/order", "trade/amend", "trade/cancelReplace")
"""The ends of endpoints by which a client may answer a fill."""
REACTIONS_MAX = 1_000_000
MICROSECOND_NS = 1_000


class Stopwatch:
    """One for the whole server. Everything happens on its loop thread."""

    def __init__(self) -> None:
        self.runs = False
        self._untold: set[str] = set()
        self._ahead: list[str] = []
        """Who answered a fill before being told of it."""
        self._told_ns: dict[str, int] = {}
        self._reactions: list[tuple[str, int, int]] = []
        """Whose fill it was, when it was told, and when it was answered, by the monotonic clock."""

    def start(self) -> None:
        """Forget what was measured, and measure from now on."""
        self.runs = True
        self._untold.clear()
        self._ahead.clear()
        self._told_ns.clear()
        self._reactions.clear()

    def filled(self, key: str) -> None:
        """An order of an account has filled, and the account is about to be told."""
        if self.runs:
            self._untold.add(key)

    def told(self, key: str) -> None:
        """An execution is being sent to an account. A second one before the answer changes nothing."""
        if key in self._untold:
            self._untold.remove(key)
            self._told_ns.setdefault(key, time.monotonic_ns())

    def asked(self, key: str, endpoints: Collection[str]) -> None:
        """A request of an account has arrived, at an endpoint with these names."""
        if not self.runs or not any(name.endswith(ORDERS) for name in endpoints):
            return
        if key in self._told_ns:
            if len(self._reactions) < REACTIONS_MAX:
                self._reactions.append((key, self._told_ns.pop(key), time.monotonic_ns()))
        elif key in self._untold:  # it has seen the fill in a read
            self._untold.remove(key)
            self._ahead.append(key)

    def report(self, prefix: str) -> dict[str, object]:
        """When each fill was told and when it was answered, in microseconds of the monotonic clock, answer by answer.

        Of the accounts whose keys begin with `prefix`. All processes of a machine share that clock.
        """
        chosen = [(start, end) for key, start, end in self._reactions if key.startswith(prefix)]
        return {
            "runs": self.runs,
            "answers_us": [(start // MICROSECOND_NS, end // MICROSECOND_NS) for start, end in chosen],
            "ahead": sum(key.startswith(prefix) for key in self._ahead),
            "unanswered": sum(key.startswith(prefix) for key in (*self._untold, *self._told_ns)),
        }

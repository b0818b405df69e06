"""Times how long clients take from a fill to their next order: for benches, over the control interface.

From the moment an execution is handed to the network, or has happened where nobody listens, until the account's next
order, amend or replacement has arrived here. Off until somebody asks for it.
"""

import time
from collections.abc import Collection

ORDERS = frozenset({"order/create", "order/amend", "trade/order", "trade/amend", "trade/cancelReplace"})
"""The ends of endpoints by which a client may answer a fill."""
REACTIONS_MAX = 1_000_000
MICROSECOND_NS = 1_000


class Stopwatch:
    """One for the whole server. Everything happens on its loop thread."""

    def __init__(self) -> None:
        self.runs = False
        self._told_ns: dict[str, int] = {}
        self._reactions: list[tuple[str, int, int]] = []
        """Whose fill it was, when it was told, and when it was answered."""

    def start(self) -> None:
        """Forget what was measured, and measure from now on."""
        self.runs = True
        self._told_ns.clear()
        self._reactions.clear()

    def told(self, key: str) -> None:
        """An execution is being sent to an account. A second one before the answer changes nothing."""
        if self.runs:
            self._told_ns.setdefault(key, time.perf_counter_ns())

    def asked(self, key: str, endpoints: Collection[str]) -> None:
        """A request of an account has arrived, at an endpoint with these names."""
        if not self.runs or key not in self._told_ns:
            return
        if any(name.endswith(tuple(ORDERS)) for name in endpoints) and len(self._reactions) < REACTIONS_MAX:
            self._reactions.append((key, self._told_ns.pop(key), time.perf_counter_ns()))

    def report(self, prefix: str) -> dict[str, object]:
        """Microseconds from fill to answer, in the order of the answers, and from the first fill to the last answer.

        Of the accounts whose keys begin with `prefix`.
        """
        chosen = [(start, end) for key, start, end in self._reactions if key.startswith(prefix)]
        whole_ns = max((end for _, end in chosen), default=0) - min((start for start, _ in chosen), default=0)
        return {
            "runs": self.runs,
            "reactions_us": [(end - start) // MICROSECOND_NS for start, end in chosen],
            "first_to_last_us": whole_ns // MICROSECOND_NS,
            "unanswered": sum(key.startswith(prefix) for key in self._told_ns),
        }

"""A sliding window that holds at the exchange, not only here.

A request is counted by the exchange at some moment between its sending and its answer; nobody here knows when. So it
counts from the moment it gets its turn until one whole window after it *ended*. For whatever moments the exchange saw:
take any stretch as long as its window and the request in it that got its turn last. Every other one in the stretch
arrived less than a window before that one, hence ended less than a window before it got its turn, or was still under
way: it was counted then. So the stretch holds no more than the limit, whatever the network did to any of them. Bursts
cost one round trip per window for it.
"""

from collections import deque

from blitz.exchange.budget.limits import Quota


class Window:
    """Requests under one quota. Times are milliseconds of a monotonic clock. Used under its line's lock."""

    __slots__ = ("_ended", "_flying", "closed_until_ms", "margin_ms", "quota")

    def __init__(self, quota: Quota, margin_ms: int) -> None:
        self.quota = quota
        self.margin_ms = margin_ms
        self.closed_until_ms = 0
        """Shut by the exchange until then."""
        self._flying = 0
        self._ended: deque[int] = deque()

    def used(self, now_ms: int) -> int:
        """Requests that count now."""
        youngest_forgotten_ms = now_ms - self.quota.window_ms - self.margin_ms
        while self._ended and self._ended[0] <= youngest_forgotten_ms:
            self._ended.popleft()
        return self._flying + len(self._ended)

    def opens_ms(self, share: int, now_ms: int) -> int | None:
        """When one more request may go while no more than `share` may count: `now_ms` for now.

        None when that depends on a request that is still under way.
        """
        if now_ms < self.closed_until_ms:
            return self.closed_until_ms
        surplus = self.used(now_ms) - share
        if surplus < 0:
            return now_ms
        if surplus < len(self._ended):
            return self._ended[surplus] + self.quota.window_ms + self.margin_ms
        return None

    def begin(self) -> None:
        """A request got its turn."""
        self._flying += 1

    def end(self, now_ms: int) -> None:
        """It was answered, or given up."""
        self._flying -= 1
        self._ended.append(now_ms)

    def assume_full(self, since_ms: int) -> None:
        """Somebody whose count nobody has any more may have filled it until then."""
        self._ended.extend([since_ms] * self.quota.limit)

    def told_left(self, left: int, now_ms: int) -> None:
        """The exchange says how many more it would take: what it counted beyond ours, somebody else sent."""
        others = self.quota.limit - left - self.used(now_ms)
        for _ in range(others):
            self._ended.append(now_ms)

    def is_idle(self, now_ms: int) -> bool:
        """Nothing here is worth remembering."""
        return self.used(now_ms) == 0 and now_ms >= self.closed_until_ms

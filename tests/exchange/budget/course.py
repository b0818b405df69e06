"""A line driven through time, before an exchange that counts for itself.

Each request takes its own way: it reaches the exchange some time after its turn and its answer comes some time later.
The exchange counts when a request arrives, in sliding windows of its own, which share no code with the line's.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from blitz.exchange.budget.limits import AddressQuota, Limits, Priority, Quota
from blitz.exchange.budget.line import Line, State, Turn

FOREVER_MS = 10**9


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Somebody wants to send something at some moment."""

    at_ms: int = 0
    user: str = "ann"
    endpoint: str = "POST /order"
    priority: Priority = Priority.ROUTINE
    within_ms: int = FOREVER_MS
    opens: bool = False
    there_ms: int = 1
    """How long the request takes to the exchange."""
    back_ms: int = 1


@dataclass
class Course:
    """What happened: turns in the order of their grants, and when each request reached the exchange."""

    line: Line
    turns: list[Turn] = field(default_factory=list)
    granted: list[Turn] = field(default_factory=list)
    refused: list[tuple[int, Turn]] = field(default_factory=list)
    arrivals: list[tuple[int, str, str]] = field(default_factory=list)
    looks: int = 0
    """How often the line wanted to look again although nothing had happened."""
    now_ms: int = 0
    on_answer: Callable[["Course", Turn], None] | None = None

    def live(self, wishes: list[Wish]) -> "Course":
        """Let everything happen that these wishes lead to."""
        wish_of: dict[Turn, Wish] = {}
        to_come: list[tuple[int, int, Wish | Turn]] = []
        for number, wish in enumerate(wishes):
            heapq.heappush(to_come, (wish.at_ms, number, wish))
        number = len(wishes)
        while to_come or self.line.next_ms is not None:
            moment_ms = self.line.next_ms
            if moment_ms is not None and (not to_come or moment_ms < to_come[0][0]):
                assert moment_ms >= self.now_ms, "a moment that has passed is a busy loop"
                self.looks += 1
                self.now_ms = moment_ms
                self.line.pump(self.now_ms)
            else:
                self.now_ms, _, what = heapq.heappop(to_come)
                if isinstance(what, Wish):
                    wish_of[self._turn(what)] = what
                    self.line.ask(self.turns[-1], self.now_ms)
                else:
                    if self.on_answer is not None:
                        self.on_answer(self, what)
                    self.line.end(what, self.now_ms)
            for turn in self.line.settled():
                if turn.state is State.REFUSED:
                    self.refused.append((self.now_ms, turn))
                    continue
                self.granted.append(turn)
                way = wish_of[turn]
                arrives_ms = self.now_ms + way.there_ms
                self.arrivals.append((arrives_ms, turn.user, turn.endpoint))
                number += 1
                heapq.heappush(to_come, (arrives_ms + way.back_ms, number, turn))
        return self

    def _turn(self, wish: Wish) -> Turn:
        turn = Turn(
            user=wish.user,
            endpoint=wish.endpoint,
            priority=wish.priority,
            asked_ms=self.now_ms,
            deadline_ms=self.now_ms + wish.within_ms,
            opens=wish.opens,
        )
        self.turns.append(turn)
        return turn

    def most_in(self, window_ms: int, user: str | None = None, endpoint: str | None = None) -> int:
        """The most requests that reached the exchange in any stretch of this length, as it counts."""
        moments = sorted(
            at_ms
            for at_ms, by, to in self.arrivals
            if (user is None or by == user) and (endpoint is None or to == endpoint)
        )
        most, first = 0, 0
        for index, at_ms in enumerate(moments):
            while moments[first] <= at_ms - window_ms:
                first += 1
            most = max(most, index - first + 1)
        return most


def limits(
    *,
    address: int = 10_000,
    window_ms: int = 5_000,
    user: int = 10_000,
    in_flight: int = 10_000,
    openings: int = 10_000,
    counts: bool = True,
) -> Limits:
    """Limits of an exchange that has a single window per address."""
    return Limits(
        address=(AddressQuota(name="all", quota=Quota(limit=address, window_ms=window_ms)),),
        openings=Quota(limit=openings, window_ms=window_ms),
        user={},
        user_default=user,
        address_ban_ms=600_000,
        user_ban_ms=0,
        counts=counts,
        in_flight_max=in_flight,
    )

"""Gives turns to threads: one `RateBudget` per process, one `Turnstile` per venue in it.

A thread that has to wait sleeps until its own turn comes or its deadline passes; whoever ends a request wakes exactly
those that may go now. Only while somebody waits for a moment rather than for a request does one more thread live, which
sleeps until that moment.
"""

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from blitz.clock import Clock, SystemClock, iso_utc
from blitz.errors import GatewayProblem
from blitz.exchange.budget.answers import Scope, Told
from blitz.exchange.budget.limits import Limits, Priority
from blitz.exchange.budget.line import Line, State, Turn, Why

log = structlog.get_logger(__name__)

LINGER_SECONDS = 1.0
"""So long the extra thread stays when nobody waits for a moment any more."""


class NoTurn(GatewayProblem):
    """The request was not sent, and that is certain: its turn would not have come in time."""

    def __init__(self, sentence: str, wait_ms: int) -> None:
        super().__init__(sentence)
        self.wait_ms = wait_ms
        """Asking again sooner is certainly pointless; 0 when nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one venue's turnstile stands, for pages and figures."""

    name: str
    counts: bool
    """Whether windows are counted at all."""
    in_window: int
    """Requests in the address's fullest window."""
    limit: int
    window_ms: int
    in_flight: int
    waiting: Mapping[Priority, int]
    banned_until_ms: int | None
    """Epoch milliseconds; None when the exchange lets this address in."""
    users_shut_out: int
    turns_total: int
    refused_total: int
    bans_total: int


class Turnstile:
    """Through here passes whatever is sent to one venue. Safe to use from many threads."""

    def __init__(self, name: str, limits: Limits, clock: Clock, another_until_ms: int | None = None) -> None:
        """See `Line` for `another_until_ms`."""
        self.name = name
        self.limits = limits
        self._clock = clock
        self._line = Line(limits, another_until_ms)
        self._lock = threading.Lock()
        self._moment_changed = threading.Condition(self._lock)
        self._waiting: dict[Turn, threading.Lock] = {}
        """Each has a lock that is let go when it is settled: the cheapest there is to sleep on."""
        self._minder: threading.Thread | None = None
        self._minded_ms: int | None = None
        """When the extra thread will look by itself."""

    @contextmanager
    def turn(self, user: str, endpoint: str, priority: Priority, within_ms: int) -> Iterator[Turn]:
        """Wait for a turn and hold it while the request is under way. Raises `NoTurn` when none comes within that."""
        turn = self.take(user, endpoint, priority, within_ms)
        with self.held(turn):
            yield turn

    @contextmanager
    def held(self, turn: Turn) -> Iterator[None]:
        """Hold a turn that was taken; it ends with the request."""
        try:
            yield
        finally:
            with self._lock:
                self._line.end(turn, self._now_ms())
                self._wake()

    def heard(self, turn: Turn, told: Told) -> None:
        """Take in what the answer to this turn's request said. Called while the turn is held."""
        with self._lock:
            now_ms = self._now_ms()
            if told.left is not None:
                self._line.told_left(turn, told.limit, told.left, now_ms)
            if told.shut is Scope.USER:
                self._line.shut_user(turn, told.shut_ms, now_ms)
            elif told.shut is Scope.ADDRESS:
                bans = self._line.bans_total
                self._line.shut_address(turn, told.shut_ms + self.limits.ban_margin_ms, now_ms)
                if self._line.bans_total != bans:
                    until = self._wall(self._line.banned_until_ms)
                    log.warning("An exchange has shut out this address.", venue=self.name, until=iso_utc(until))
            elif told.served:
                self._line.answered_well(turn, now_ms)
            self._wake()

    def standing(self) -> Standing:
        """Figures as of now."""
        with self._lock:
            now_ms = self._now_ms()
            in_window, limit, window_ms = self._line.fullest(now_ms)
            banned = now_ms < self._line.banned_until_ms
            return Standing(
                name=self.name,
                counts=self.limits.counts,
                in_window=in_window,
                limit=limit,
                window_ms=window_ms,
                in_flight=self._line.flying,
                waiting=dict(self._line.waiting),
                banned_until_ms=self._wall(self._line.banned_until_ms) if banned else None,
                users_shut_out=self._line.users_shut_out(now_ms),
                turns_total=self._line.turns_total,
                refused_total=self._line.refused_total,
                bans_total=self._line.bans_total,
            )

    def take(
        self,
        user: str,
        endpoint: str,
        priority: Priority,
        within_ms: int,
        asked: Callable[[Turn], None] | None = None,
        *,
        opens: bool = False,
    ) -> Turn:
        """Wait for a turn, which has to be `held` next. Raises `NoTurn` when none comes within that time.

        `asked` is handed the turn before it is waited for, so that another thread may give it up. `opens`: the request
        opens a position.
        """
        with self._lock:
            now_ms = self._now_ms()
            turn = Turn(
                user=user,
                endpoint=endpoint,
                priority=priority,
                asked_ms=now_ms,
                deadline_ms=now_ms + within_ms,
                opens=opens,
            )
            if asked is not None:
                asked(turn)
            self._line.ask(turn, now_ms)
            self._wake()
            if turn.state is State.WAITING:
                settled = self._waiting[turn] = threading.Lock()
                settled.acquire()
        if turn.state is State.WAITING and not settled.acquire(timeout=within_ms / 1000):
            with self._lock:
                self._line.withdraw(turn, self._now_ms())  # unless it was granted just now
                self._wake()
        if turn.state is State.REFUSED:
            raise self._no_turn(turn, within_ms)
        return turn

    def give_up(self, turn: Turn) -> None:
        """Have whoever waits for this turn told at once that it does not come; nothing happens to one that came."""
        with self._lock:
            self._line.withdraw(turn, self._now_ms(), Why.HURRIED)
            self._wake()

    def _wake(self) -> None:
        """Wake those whose waiting is over, and the extra thread when it would look too late. The lock is held."""
        for turn in self._line.settled():
            settled = self._waiting.pop(turn, None)
            if settled is not None:
                settled.release()
        next_ms = self._line.next_ms
        if next_ms is None or (self._minded_ms is not None and self._minded_ms <= next_ms):
            return
        if self._minder is None:
            self._minder = threading.Thread(target=self._mind, name=f"budget_{self.name}", daemon=True)
            self._minded_ms = next_ms
            self._minder.start()
        else:
            self._minded_ms = next_ms
            self._moment_changed.notify()

    def _mind(self) -> None:
        """Look again at each moment that somebody waits for; end when there is none."""
        with self._moment_changed:
            while True:
                next_ms = self._line.next_ms
                self._minded_ms = next_ms
                wait_ms = None if next_ms is None else max(0, next_ms - self._now_ms())
                told = self._moment_changed.wait(LINGER_SECONDS if wait_ms is None else wait_ms / 1000)
                if next_ms is None and not told and self._line.next_ms is None:
                    self._minder = None
                    return
                self._line.pump(self._now_ms())
                self._wake()

    def _no_turn(self, turn: Turn, within_ms: int) -> NoTurn:
        now_ms = self._now_ms()
        wait_ms = max(0, turn.until_ms - now_ms)
        until = iso_utc(self._wall(turn.until_ms)) + " UTC"
        if turn.why is Why.ADDRESS:
            sentence = f"{self.name} has shut out this server's address until {until}; nothing is sent before."
        elif turn.why is Why.USER:
            sentence = f"{self.name} takes no more requests of this kind under this key until {until}."
        elif turn.why is Why.HURRIED:
            sentence = "Something more urgent came in between; it is asked again."
        else:
            sentence = (
                f"The limit of requests at {self.name} is used up: the turn of this one did not come within "
                f"{within_ms / 1000:.1f} s, so it was not sent."
            )
        return NoTurn(sentence, wait_ms)

    def _now_ms(self) -> int:
        return self._clock.monotonic_ms()

    def _wall(self, monotonic_ms: int) -> int:
        return self._clock.now_ms() + monotonic_ms - self._clock.monotonic_ms()


class RateBudget:
    """One turnstile per venue, for the whole process. Safe to use from many threads.

    The clock is the machine's own whatever the bots live by: an exchange counts real seconds.
    """

    def __init__(self, clock: Clock | None = None, *, after_another: bool = False) -> None:
        """`after_another`: a process that has just ended may have used up the windows; its count died with it."""
        self._clock = clock or SystemClock()
        self._another_until_ms = self._clock.monotonic_ms() if after_another else None
        self._turnstiles: dict[Hashable, Turnstile] = {}
        self._guard = threading.Lock()

    def turnstile(self, venue: Hashable, name: str, limits: Limits) -> Turnstile:
        """The venue's turnstile; the first caller's limits and name hold."""
        with self._guard:
            if venue not in self._turnstiles:
                self._turnstiles[venue] = Turnstile(name, limits, self._clock, self._another_until_ms)
            return self._turnstiles[venue]

    def standings(self) -> list[Standing]:
        """How every venue's turnstile stands."""
        with self._guard:
            turnstiles = list(self._turnstiles.values())
        return [turnstile.standing() for turnstile in turnstiles]

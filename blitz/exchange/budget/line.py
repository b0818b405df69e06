"""Who goes next to one exchange: priorities, fairness, windows, bans, the gate. Pure: time is given, nobody waits here.

A `Turn` is asked for, is granted or refused, and ends. Priorities are strict. Inside one, users take turns, so that a
user who asks for a hundred things delays another one by a single request. A user whose own window is full is parked
until the very moment it opens and is not looked at before; so is everybody while the address's windows are full.
Granting costs O(log n), whoever waits.
"""

import heapq
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import StrEnum

from blitz.exchange.budget.limits import Limits, Priority, Quota, shared
from blitz.exchange.budget.windows import Window

UNLIMITED = Quota(limit=2**31)
"""Of a window that is there only to be shut."""
BELIEVED_MAX = 1_000
"""An exchange that claims to allow one user more than this per second is not believed."""
SLOW_MS = 200
"""A request under way for longer waits for the network, not for this machine: the gate counts it no more (L8)."""


READ_PATIENCE_MS = 1_500
"""A read does not wait longer for the end of a ban: whoever asks can be told meanwhile, and stopped."""


class State(StrEnum):
    """Where a turn stands."""

    WAITING = "waiting"
    GRANTED = "granted"
    REFUSED = "refused"
    ENDED = "ended"


class Why(StrEnum):
    """Why a turn was refused."""

    LATE = "late"
    """It would have come after its deadline."""
    ADDRESS = "address"
    """The exchange has shut out this address."""
    USER = "user"
    """The exchange has shut out this user from this endpoint, or wants less from them for now."""
    HURRIED = "hurried"
    """Who asked has something more urgent to do."""


@dataclass(slots=True, eq=False, kw_only=True)
class Turn:
    """The right to send one request."""

    user: str
    """Whose key signs it; empty for a request that nobody signs."""
    endpoint: str
    priority: Priority
    asked_ms: int
    deadline_ms: int
    opens: bool = False
    """It opens a position."""
    state: State = State.WAITING
    granted_ms: int = 0
    why: Why = Why.LATE
    """Of a refused one."""
    until_ms: int = 0
    """When it might have been granted, as far as that is known; 0 otherwise."""
    at_gate: bool = False
    windows: tuple[Window, ...] = ()
    """Where a granted one counts."""


@dataclass(slots=True, eq=False)
class _Queue:
    """What one user waits for at one endpoint in one priority, in order."""

    key: "_QueueKey"
    lane: "_Lane"
    user: str
    endpoint: str
    turns: deque[Turn] = field(default_factory=deque)
    away: bool = False
    """Parked, or waiting for a request of its own to end: not in the lane's rotation."""


_QueueKey = tuple[Priority, str, str, bool]
"""Priority, user, endpoint, and whether its turns open positions."""


@dataclass(slots=True, eq=False)
class _Lane:
    """Everybody who waits with one priority for the same windows of the address; users in rotation."""

    priority: Priority
    windows: tuple[Window, ...]
    rotation: OrderedDict[str, OrderedDict[str, _Queue]] = field(default_factory=OrderedDict)

    def join(self, queue: _Queue) -> None:
        """Put a queue into the rotation, behind everybody else."""
        self.rotation.setdefault(queue.user, OrderedDict())[queue.endpoint] = queue


class Line:
    """The line before one exchange. Call `settled` after each change for those whose waiting is over."""

    def __init__(self, limits: Limits, another_until_ms: int | None = None) -> None:
        """`another_until_ms`: until then another process may have sent from this address, nobody knows how much."""
        self.limits = limits
        self._another_until_ms = another_until_ms
        self.waiting = dict.fromkeys(Priority, 0)
        self.banned_until_ms = 0
        self.flying = 0
        self.next_ms: int | None = None
        """When `pump` has to be called again although nothing changes; None for never."""
        self.turns_total = self.refused_total = self.bans_total = 0
        self._ban_began_ms = 0
        self._is_proving = False
        """A ban has just ended, and no answer has shown yet that it has."""
        self._gate = 0
        self._gate_shares = {priority: shared(limits.in_flight_max, priority) for priority in Priority}
        self._slow: deque[Turn] = deque()
        self._address: dict[tuple[str, str], Window] = {}
        self._covering: dict[str, tuple[Window, ...]] = {}
        self._users: OrderedDict[tuple[str, str], Window] = OrderedDict()
        self._openings = (Window(limits.openings, limits.margin_ms),) if limits.counts else ()
        self._queues: dict[_QueueKey, _Queue] = {}
        self._lanes: dict[Priority, OrderedDict[tuple[Window, ...], _Lane]] = {each: OrderedDict() for each in Priority}
        self._parked: list[tuple[int, int, _Queue]] = []
        self._parkings = 0
        self._stuck: dict[tuple[str, str], list[_Queue]] = {}
        self._settled: list[Turn] = []

    # What happens to turns

    def ask(self, turn: Turn, now_ms: int) -> None:
        """Stand in line. Granted or refused at once when that is certain."""
        self.waiting[turn.priority] += 1
        if _is_too_long(turn, self.banned_until_ms, now_ms):
            self._refuse(turn, Why.ADDRESS, self.banned_until_ms)
            return
        key = (turn.priority, turn.user, turn.endpoint, turn.opens)
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = _Queue(key, self._lane(turn), turn.user, turn.endpoint)
        queue.turns.append(turn)
        if not queue.away:
            queue.lane.join(queue)
        self.pump(now_ms)

    def withdraw(self, turn: Turn, now_ms: int, why: Why = Why.LATE) -> None:
        """Its deadline has passed, or nobody wants it any more."""
        if turn.state is State.WAITING:
            self._refuse(turn, why, 0)
            self.pump(now_ms)

    def end(self, turn: Turn, now_ms: int) -> None:
        """The request was answered, or given up."""
        assert turn.state is State.GRANTED, f"a turn that is {turn.state} cannot end"
        turn.state = State.ENDED
        self.flying -= 1
        self._leave_gate(turn)
        for window in turn.windows:
            window.end(now_ms)
        for queue in self._stuck.pop((turn.user, turn.endpoint), ()):
            self._come_back(queue)
        self._forget_idle(now_ms)
        self.pump(now_ms)

    def settled(self) -> list[Turn]:
        """Turns that were granted or refused since the last call."""
        settled, self._settled = self._settled, []
        return settled

    # What the exchange says

    def told_left(self, turn: Turn, limit: int | None, left: int, now_ms: int) -> None:
        """An answer says how many more requests this user may send to this endpoint."""
        window = self._user_window(turn) if self.limits.counts else None
        if window is not None:
            if limit is not None and 1 <= limit <= BELIEVED_MAX:
                window.quota = window.quota.at(limit)
            window.told_left(left, now_ms)

    def answered_well(self, turn: Turn, now_ms: int) -> None:
        """The exchange serves this address."""
        if self._is_proving and turn.granted_ms >= self.banned_until_ms:
            self._is_proving = False
            self.pump(now_ms)

    def shut_user(self, turn: Turn, for_ms: int, now_ms: int) -> None:
        """The exchange takes no more from this user at this endpoint for some time."""
        if not turn.user:
            return
        unlimited = Window(UNLIMITED, 0)
        window = self._user_window(turn) or self._users.setdefault((turn.user, turn.endpoint), unlimited)
        window.closed_until_ms = max(window.closed_until_ms, now_ms + for_ms)

    def shut_address(self, turn: Turn, for_ms: int, now_ms: int) -> None:
        """The exchange has shut out this address. What was under way when it did says nothing new."""
        still = now_ms < self.banned_until_ms
        if still and turn.granted_ms < self._ban_began_ms and for_ms <= self.banned_until_ms - self._ban_began_ms:
            return
        self._ban_began_ms, self.banned_until_ms = now_ms, now_ms + for_ms
        self._is_proving = True
        self.bans_total += 1
        waiting = [each for queue in self._queues.values() for each in queue.turns if each.state is State.WAITING]
        for each in waiting:
            if _is_too_long(each, self.banned_until_ms, now_ms):
                self._refuse(each, Why.ADDRESS, self.banned_until_ms)
        self.pump(now_ms)

    # Figures

    def fullest(self, now_ms: int) -> tuple[int, int, int]:
        """Requests in the address's fullest window, what it holds, and its length in milliseconds."""
        windows = [(each.used(now_ms), each.quota) for each in self._address.values()]
        used, quota = max(windows, key=lambda one: one[0] / one[1].limit, default=(0, None))
        if quota is None:
            quota = self.limits.address[0].quota
        return used, quota.limit, quota.window_ms

    def users_shut_out(self, now_ms: int) -> int:
        """How many users the exchange keeps out of an endpoint."""
        return len({user for (user, _), window in self._users.items() if window.closed_until_ms > now_ms})

    # Granting

    def pump(self, now_ms: int) -> None:
        """Grant whatever may go now, and find out when to look again."""
        self.next_ms = None
        self._unpark(now_ms)
        if now_ms < self.banned_until_ms:
            self._look_again(self.banned_until_ms if any(self.waiting.values()) else None)
            return
        self._let_slow_ones_pass(now_ms)
        for priority, waiting in self.waiting.items():
            if not waiting:
                continue
            while self._gate < self._gate_share(priority):
                turn = self._next(priority, now_ms)
                if turn is None:
                    break
                self._grant(turn, now_ms)
            else:
                self._look_again(self._slow[0].granted_ms + SLOW_MS if self._slow and self.waiting[priority] else None)
        self._look_again(self._parked[0][0] if self._parked else None)

    def _next(self, priority: Priority, now_ms: int) -> Turn | None:
        """The next turn of this priority that may go, taken out of the line."""
        lanes = self._lanes[priority]
        for windows, lane in list(lanes.items()):
            if not lane.rotation:
                continue
            opens_ms = self._opens_ms(lane, now_ms)
            if opens_ms is None or opens_ms > now_ms:
                self._look_again(opens_ms)
                continue
            turn = self._next_of(lane, now_ms)
            if turn is not None:
                lanes.move_to_end(windows)
                return turn
        return None

    def _opens_ms(self, lane: _Lane, now_ms: int) -> int | None:
        """When the address's windows let one more of this lane pass; None when that depends on what is under way."""
        moments = []
        for window in lane.windows:
            share = window.quota.share(lane.priority)
            moments.append(window.opens_ms(share, now_ms))
        known = [moment for moment in moments if moment is not None]
        return max(known, default=now_ms) if len(known) == len(moments) else None

    def _next_of(self, lane: _Lane, now_ms: int) -> Turn | None:
        """The next user's next turn. Queues that have to wait for their own window leave the rotation."""
        while lane.rotation:
            user, queues = lane.rotation.popitem(last=False)
            turn = None
            while queues and turn is None:
                endpoint, queue = queues.popitem(last=False)
                turn = self._head_of(queue, now_ms)
                if queue.turns and not queue.away:
                    queues[endpoint] = queue
                elif not queue.turns:
                    self._queues.pop(queue.key, None)
            if queues:
                lane.rotation[user] = queues
            if turn is not None:
                return turn
        return None

    def _head_of(self, queue: _Queue, now_ms: int) -> Turn | None:
        """The first turn of a queue when it may go now; else the queue is parked, if anything is left in it."""
        while queue.turns:
            head = queue.turns[0]
            if head.state is not State.WAITING:
                queue.turns.popleft()
                continue
            if head.deadline_ms < now_ms:
                self._refuse(head, Why.LATE, 0)
                continue
            window = self._user_window(head)
            if window is None:
                return queue.turns.popleft()
            opens_ms = window.opens_ms(window.quota.share(head.priority), now_ms)
            if opens_ms == now_ms:
                return queue.turns.popleft()
            if _is_too_long(head, window.closed_until_ms, now_ms):
                self._refuse(head, Why.USER, window.closed_until_ms)
                continue
            self._put_away(queue, opens_ms)
            return None
        return None

    def _grant(self, turn: Turn, now_ms: int) -> None:
        turn.state, turn.granted_ms, turn.at_gate = State.GRANTED, now_ms, True
        self.waiting[turn.priority] -= 1
        self.turns_total += 1
        self.flying += 1
        self._gate += 1
        self._slow.append(turn)
        turn.windows = self._windows_of(turn)
        for window in turn.windows:
            window.begin()
        self._settled.append(turn)

    def _refuse(self, turn: Turn, why: Why, until_ms: int) -> None:
        turn.state, turn.why, turn.until_ms = State.REFUSED, why, until_ms
        self.waiting[turn.priority] -= 1
        self.refused_total += 1
        self._settled.append(turn)

    # The gate

    def _gate_share(self, priority: Priority) -> int:
        """How many may be under way when one more of this priority goes; one alone until a ban is proved over."""
        if self._is_proving:
            return 1
        return self._gate_shares[priority]

    def _let_slow_ones_pass(self, now_ms: int) -> None:
        while self._slow and (not self._slow[0].at_gate or self._slow[0].granted_ms + SLOW_MS <= now_ms):
            self._leave_gate(self._slow.popleft())

    def _leave_gate(self, turn: Turn) -> None:
        if turn.at_gate:
            turn.at_gate = False
            self._gate -= 1

    # Waiting elsewhere

    def _put_away(self, queue: _Queue, opens_ms: int | None) -> None:
        queue.away = True
        if opens_ms is None:
            self._stuck.setdefault((queue.user, queue.endpoint), []).append(queue)
            return
        self._parkings += 1
        heapq.heappush(self._parked, (opens_ms, self._parkings, queue))

    def _unpark(self, now_ms: int) -> None:
        while self._parked and self._parked[0][0] <= now_ms:
            self._come_back(heapq.heappop(self._parked)[2])

    def _come_back(self, queue: _Queue) -> None:
        queue.away = False
        queue.lane.join(queue)

    def _look_again(self, at_ms: int | None) -> None:
        if at_ms is not None and (self.next_ms is None or at_ms < self.next_ms):
            self.next_ms = at_ms

    # Windows

    def _lane(self, turn: Turn) -> _Lane:
        windows = self._shared_windows(turn)
        lanes = self._lanes[turn.priority]
        if windows not in lanes:
            lanes[windows] = _Lane(turn.priority, windows)
        return lanes[windows]

    def _windows_of(self, turn: Turn) -> tuple[Window, ...]:
        own = self._user_window(turn)
        shared = self._shared_windows(turn)
        return shared if own is None else (*shared, own)

    def _shared_windows(self, turn: Turn) -> tuple[Window, ...]:
        """Those in which it counts with the turns of others."""
        covering = self._covering_windows(turn.endpoint)
        return (*covering, *self._openings) if turn.opens else covering

    def _covering_windows(self, endpoint: str) -> tuple[Window, ...]:
        if not self.limits.counts:
            return ()
        windows = self._covering.get(endpoint)
        if windows is None:
            rules = [rule for rule in self.limits.address if rule.covers(endpoint)]
            names = [((rule.name, endpoint if rule.each else ""), rule.quota) for rule in rules]
            windows = tuple(self._address.get(name) or self._new_window(name, quota) for name, quota in names)
            self._covering[endpoint] = windows
        return windows

    def _new_window(self, name: tuple[str, str], quota: Quota) -> Window:
        window = self._address[name] = Window(quota, self.limits.margin_ms)
        if self._another_until_ms is not None:
            window.assume_full(self._another_until_ms)
        return window

    def _user_window(self, turn: Turn) -> Window | None:
        """The user's own window at this endpoint; None where nothing is counted or nobody signs."""
        key = (turn.user, turn.endpoint)
        window = self._users.get(key)
        if not self.limits.counts or not turn.user:
            return window
        if window is None:
            window = self._users[key] = Window(self.limits.user_quota(turn.endpoint), self.limits.margin_ms)
        self._users.move_to_end(key)
        return window

    def _forget_idle(self, now_ms: int) -> None:
        """Drop up to two windows that nobody used for longest: there are as many as users times endpoints."""
        for _ in range(2):
            if not self._users:
                return
            key = next(iter(self._users))
            if not self._users[key].is_idle(now_ms):
                self._users.move_to_end(key)
                return
            del self._users[key]


def _is_too_long(turn: Turn, until_ms: int, now_ms: int) -> bool:
    """Whether this turn should rather be refused than wait for the end of a ban."""
    is_read = turn.priority in {Priority.COVER, Priority.FOLLOW, Priority.ROUTINE}
    return turn.deadline_ms < until_ms or (is_read and until_ms - now_ms > READ_PATIENCE_MS)

"""Many bots save at the same moment: their changes share one commit, so that a slow disk is asked once for all.

Whoever comes first writes for everybody who came meanwhile; the others wait to be told. A save that nobody joins is a
transaction like any other. Used by `database` only.
"""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from blitz.errors import DatabaseProblem

SHARED_MAX = 256
"""So many saves share one commit at most: the first of them must not wait for ever."""

Work = Callable[[Connection], None]


@dataclass(slots=True)
class _Save:
    """One caller's changes, and what became of them."""

    work: Work
    durable: bool
    woken: threading.Event = field(default_factory=threading.Event)
    """Set when the save is over, or when it is this caller's turn to write."""
    over: bool = False
    failure: Exception | None = None


class SharedCommits:
    """Gathers saves into transactions. A caller returns once its own changes are committed, and only then."""

    def __init__(self, begin: Callable[[bool], AbstractContextManager[Connection]]) -> None:
        """Take `begin`, which opens a transaction; its argument says whether it has to be durable."""
        self._begin = begin
        self._guard = threading.Lock()
        self._waiting: deque[_Save] = deque()
        self._somebody_writes = False

    def write(self, work: Work, *, durable: bool) -> None:
        """Carry `work` out in a transaction, all of it or nothing. Raises what it raised, or `DatabaseProblem`."""
        save = _Save(work, durable)
        with self._guard:
            self._waiting.append(save)
            writes = not self._somebody_writes
            self._somebody_writes = True
        if not writes:
            save.woken.wait()
        if not save.over:
            self._write_waiting()
        if isinstance(save.failure, DatabaseProblem):
            raise DatabaseProblem(str(save.failure)) from save.failure
        if save.failure is not None:
            raise save.failure

    def _write_waiting(self) -> None:
        """Write for everybody who waits now, then hand over to the next one who came meanwhile."""
        with self._guard:
            saves = [self._waiting.popleft() for _ in range(min(len(self._waiting), SHARED_MAX))]
        failure: Exception = DatabaseProblem("Writing was interrupted; nothing was written.")
        committed = False
        try:
            with self._begin(any(save.durable for save in saves)) as connection:
                for save in saves:
                    _carry_out(connection, save, alone=len(saves) == 1)
            committed = True
        except (DatabaseProblem, StatementError) as told:
            failure = told
        finally:
            for save in saves:
                save.failure = save.failure if committed else failure
                save.over = True
            self._hand_over(saves)

    def _hand_over(self, written: list[_Save]) -> None:
        with self._guard:
            self._somebody_writes = bool(self._waiting)
            if self._waiting:
                self._waiting[0].woken.set()
        for save in written:
            save.woken.set()


def _carry_out(connection: Connection, save: _Save, *, alone: bool) -> None:
    """Carry one save out. A row that is wrong fails its own save only; trouble with the database fails them all."""
    if alone:
        save.work(connection)
        return
    try:
        with connection.begin_nested():
            save.work(connection)
    except StatementError as failure:
        if isinstance(failure, DBAPIError) and not isinstance(failure, IntegrityError):
            raise  # the database may have rolled everything back by itself: nothing after this could be trusted
        save.failure = failure

"""A bot that does not run: what may be said of it, and giving up the cycle that it has left open.

Read from the journal and from the last picture; no exchange is asked here, and nothing is sent, cancelled or closed.
"""

from blitz.bots.opening import BotParts, MissingCredentials, stored_key
from blitz.bots.protection import Cause, CauseCode, Cover, Protection
from blitz.bots.sight import remembered_as
from blitz.bots.status import BotSnapshot, BotStatus, before_a_look
from blitz.bots.unfinished import Unfinished, unfinished_of
from blitz.core.finish import closing_of, ended_cycle
from blitz.core.ladder_settings import LadderSettings
from blitz.core.ledger import Ledger
from blitz.core.records import Cycle, CycleEnd, DesiredSaved, Remembered
from blitz.core.refusals import KEY_REJECTED_CODE
from blitz.storage.journal import BotJournal, open_cycle
from blitz.storage.users import User


def at_rest(parts: BotParts, user: User, last: BotSnapshot) -> tuple[BotSnapshot, dict[str, object] | None]:
    """The picture of a bot that does not run, and the status' `unfinished`. `last` is what it saw last."""
    cycle = open_cycle(parts.database, user.id)
    if cycle is None:
        is_of_settings = last.settings.account == user.settings.account
        return (last if is_of_settings else before_a_look(last, user.settings)), None
    in_force = cycle.settings
    is_known = last.cycle is not None and last.settings.account == in_force.account
    lost_key = _lost_key(parts, user.id, in_force, last)
    needs_telling = bool(lost_key) or user.settings.account != in_force.account
    if is_known and not needs_telling:
        return last, None
    remembered = BotJournal(parts.database, user.id, in_force.account).load()
    unfinished = unfinished_of(remembered)
    if unfinished is None:  # it has ended since it was asked for
        return last, None
    shown = last if is_known else before_a_look(last, in_force, remembered)
    return shown, unfinished.to_json(user.settings, lost_key=lost_key) if needs_telling else None


def give_up(parts: BotParts, user: User, cycle: Cycle) -> tuple[Unfinished, BotSnapshot]:
    """Close the user's open cycle in the journal with the books as they are, and answer what is left to show.

    What its orders were stays in their slots, so that a later bot on that account knows them again. The caller keeps
    bots out. Raises `DatabaseProblem`.
    """
    journal, now_ms = BotJournal(parts.database, user.id, cycle.settings.account), parts.clock.now_ms()
    remembered = journal.load()
    unfinished = unfinished_of(remembered)
    assert unfinished is not None
    ledger = Ledger(side=cycle.settings.side).with_all(remembered.fills)
    ended = ended_cycle(cycle, ledger, CycleEnd.GIVEN_UP, now_ms)
    rest = DesiredSaved(desired="stopped", at_ms=now_ms)  # a bot that ended by a fault is still wished for
    journal.save([*closing_of(ended, now_ms), rest], durable=True)
    shown = BotSnapshot(
        status=BotStatus.STOPPED,
        message=unfinished.given_up,
        settings=user.settings,
        protection=_left_alone(remembered, now_ms, unfinished.given_up),
    )
    return unfinished, shown


def _lost_key(parts: BotParts, user_id: int, in_force: LadderSettings, last: BotSnapshot) -> str:
    """Why the open cycle has no key that works, as far as is known without asking; empty when it may have."""
    try:
        stored_key(parts, user_id, in_force)
    except MissingCredentials as problem:
        return str(problem)
    met = last.attention
    is_refused = met is not None and met.code == KEY_REJECTED_CODE and last.settings.account == in_force.account
    return met.message if met is not None and is_refused else ""


def _left_alone(remembered: Remembered, now_ms: int, why: str) -> Protection:
    """What may be said of a position that the trader looks after from now on: shown, but no incident."""
    last = remembered_as(Protection(), remembered, now_ms)
    if not last.is_open:
        return Protection(cover=Cover.NO_POSITION, why="There is no position.")
    cause = Cause(code=CauseCode.NOT_OURS, said=why)
    return Protection(cover=Cover.UNPROTECTED, since_ms=now_ms, cause=cause, why=why, quantity=last.quantity)

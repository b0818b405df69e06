"""One user's bot: a thread that waits on its mailbox, runs passes and publishes what it saw.

It is the only writer for its user. Whatever wakes it (timer, command, stream) leads to the same pass. The thread
catches everything at its very top, records it and ends; nothing else here catches broadly.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import structlog

from blitz.bots.driver import PassAbandoned
from blitz.bots.listening import Listening, Worth, idle_wait, looks_after, news_in
from blitz.bots.mailbox import LastCycle, Letter, Mailbox, Recover, Recovery, Shutdown, Stop, Wake
from blitz.bots.opening import BotParts, MissingCredentials, NotLive, Opened, is_outdated, open_market, user_of
from blitz.bots.protection import (
    HANGS,
    INCIDENT_AFTER_MS,
    INCIDENT_AFTER_RESTART_MS,
    WAITS_IN_LINE,
    Protection,
    after,
    unread,
)
from blitz.bots.sight import remembered_as, sight_of, unreachable
from blitz.bots.status import MESSAGES, BotSnapshot, BotStatus, after_pass, before_a_look
from blitz.bots.told import with_told
from blitz.bots.unfinished import place_of, unfinished_in
from blitz.bots.unshown import Unshown
from blitz.core.bot import PassResult, next_look_in_ms, run_pass
from blitz.core.calls import Refusal
from blitz.core.follow import follow_fills
from blitz.core.ladder_settings import LadderSettings
from blitz.core.ladder_settings import Mode as TradingMode
from blitz.core.memory import Attention, BotMemory
from blitz.core.records import BotEvent, EventKind, EventNoted, Remembered
from blitz.core.refusals import KEY_REJECTED_CODE
from blitz.core.work import Finish, Mode
from blitz.errors import BlitzError, DatabaseProblem, GatewayProblem, SecretUnreadable

log = structlog.get_logger(__name__)

REMOTE_POLL_SECONDS = 2.0
"""A real venue counts requests per address (600 in 5 s on Bybit); a look takes three of them."""
RECOVER_TRIES = 12
"""Passes that one recover may take: reads may lag, a lost answer must be looked up."""
RECOVER_PAUSE_SECONDS = 0.25
RECOVER_WAIT_SECONDS = 8.0
"""Longer than any fence; Recover answers within the twelve seconds that a request waits for it."""
OPEN_RETRY_SECONDS = 2.0
REFUSED_LOOKS_MAX = 3
"""A bot that is asked to stop ends after this many looks in a row that the exchange refused because of the key."""
STALLED_SECONDS = 90.0
AT_REST_SECONDS = 1.0
"""A bot that waits at least this long has answered whatever woke it."""


class UserBot:
    """The bot of one user.

    Its thread calls `on_change` whenever its status changes, `on_look` after each look, and `on_show` with the user's
    id whenever there is something new to see.
    """

    def __init__(
        self,
        user_id: int,
        parts: BotParts,
        on_change: Callable[["UserBot"], None],
        on_look: Callable[["UserBot"], None],
        on_show: Callable[[int], None] = lambda _user_id: None,
    ) -> None:
        self.user_id = user_id
        self.mailbox = Mailbox()
        self.stop_event = threading.Event()
        self.verdict = threading.Event()
        """Set once the first pass has told whether the bot could begin, or the thread has ended."""
        self.ended = threading.Event()
        self.stop_asked = False
        """The trader pressed Stop; the thread may still hang in a call and not know."""
        self.finish: Finish | None = None
        self.snapshot = BotSnapshot(
            status=BotStatus.STARTING,
            message=MESSAGES[BotStatus.STARTING],
            settings=user_of(parts, user_id).settings,
        )
        self._busy_since: float | None = None
        """Monotonic seconds since which the thread has not come back to its mailbox; None while it waits there."""
        self.thread = threading.Thread(target=self._run, name=f"bot_user_{user_id}", daemon=True)
        self._parts = parts
        self._on_change = on_change
        self._on_look = on_look
        self._on_show = on_show
        self._has_followed = False
        """Exits have followed fills that no published picture shows yet."""
        self.no_incident_before_ms = 0
        """A bot that resumes after a restart of the server has a little longer to look."""
        self._opening_since: float | None = None
        """Monotonic seconds since which the connection is being opened."""
        self._mode = Mode.TRADE
        self._last_cycle = False
        self._started_by_trader = False
        self._opened: Opened | None = None
        self._letters: list[Letter] = []
        """What was taken from the mailbox last."""
        self._listening = Listening(parts.exchanges, self.mailbox, self._hurry)
        self._unshown = Unshown()
        self._refused_looks = 0
        """How many looks in a row the exchange has refused because of the key."""
        self._look_at = 0.0
        """When the look behind a followed fill is due, monotonic seconds: more fills do not put it off."""
        self._answered = threading.Condition()
        self._asked_token = 0
        self._answered_token = 0

    # For other threads

    def start(self, *, by_trader: bool, last_cycle: bool = False) -> None:
        """Start the thread. `by_trader`: the trader pressed Start, rather than the server resuming."""
        self._started_by_trader = by_trader
        self._last_cycle = last_cycle
        if not by_trader:
            self.no_incident_before_ms = self._parts.clock.now_ms() + INCIDENT_AFTER_RESTART_MS
        self.thread.start()

    @property
    def is_told(self) -> bool:
        """Whether the exchange tells the bot of whatever happens, so that it need not poll."""
        return self._listening.is_up

    @property
    def picture(self) -> BotSnapshot:
        """The last snapshot, with the fills in it that were told of since and whose exits have followed."""
        opened = self._opened
        return with_told(self.snapshot, opened.memory) if self._has_followed and opened is not None else self.snapshot

    @property
    def pushed_price(self) -> Decimal | None:
        """The market's last price, newer than the last look's; None while nobody pushes it."""
        return self._listening.last_price

    @property
    def stream_trouble(self) -> str | None:
        """Why the bot polls instead of being told, as a sentence; None while it is told, or where nothing tells."""
        return self._listening.trouble

    @property
    def is_stalled(self) -> bool:
        """Whether the thread hangs in a call: no pass takes this long, whatever the exchange does."""
        since = self._busy_since
        return since is not None and time.monotonic() - since > STALLED_SECONDS

    def protection(self, now_ms: int) -> Protection:
        """What may be said of the position's protection now, also while the thread hangs in a call."""
        last, opened = self.snapshot.protection, self._opened
        since = self._opening_since or (opened.driver.waiting_since if opened else None)
        waits_ms = 0 if since is None else round((time.monotonic() - since) * 1000)
        if waits_ms > INCIDENT_AFTER_MS:
            in_line = opened is not None and opened.driver.in_line
            last = unread(last, WAITS_IN_LINE if in_line else HANGS, since_ms=now_ms - waits_ms)
        return last.as_of(now_ms)

    @property
    def ends_with_server(self) -> bool:
        """It ended for no other reason than that the server stops, and resumes at the next start."""
        return self.finish is _LEAVING

    def wait_answered(self, token: int, timeout_seconds: float) -> bool:
        """Wait until a pass that began after `Wake(token=token)` has come to rest."""
        with self._answered:
            return self._answered.wait_for(
                lambda: self._answered_token >= token or self.ended.is_set(), timeout_seconds
            )

    def recover_once(self, *, dry_run: bool) -> Recovery:
        """Recover in the calling thread, for a user whose bot is not running. The caller keeps others out."""
        self._opened = self._open()
        return self._recover(self._opened, dry_run=dry_run, runs=False)

    # The bot's own thread

    def _run(self) -> None:
        structlog.contextvars.bind_contextvars(user_id=self.user_id)
        try:
            finish = self._live()
            self._conclude(BotStatus.ERROR if finish.code == "error" else BotStatus.STOPPED, finish)
        except Exception as fault:  # the top of the thread: record, tell, end; no other bot is touched
            log.exception("The bot ended by a fault.", fault=type(fault).__name__)
            sentence = (
                f"The bot stopped because of a fault in the server ({type(fault).__name__}). Its orders stay at the "
                "exchange. Press Start to go on; the log has the details."
            )
            self._conclude(BotStatus.ERROR, Finish(code="error", message=sentence))
        finally:
            self._listening.close()
            self._refuse_recovers([*self._letters, *self.mailbox.take_all(0)], "The bot has just ended; try again.")
            self.ended.set()
            self.verdict.set()
            self._tell_answered(2**62)

    def _refuse_recovers(self, letters: list[Letter], sentence: str) -> None:
        """Whoever waits for a recover that nobody will carry out is told, rather than left waiting."""
        for letter in letters:
            if isinstance(letter, Recover) and not letter.answer.done():
                letter.answer.set_exception(GatewayProblem(sentence))

    def _conclude(self, status: BotStatus, finish: Finish) -> None:
        self.finish = finish
        self._publish(replace(self.snapshot, status=status, message=finish.message))

    def _live(self) -> Finish:
        """Wait, pass, publish, until there is a reason to end."""
        timeout: float | None = 0
        while True:
            self._busy_since = None
            self._letters = letters = self._next_letters(timeout)
            self._busy_since = time.monotonic()
            if self.stop_event.is_set() or any(isinstance(letter, Shutdown) for letter in letters):
                return _LEAVING
            self._read_commands(letters)
            try:
                opened = self._opened_for_next_pass()
            except (MissingCredentials, SecretUnreadable) as problem:
                return self._without_key(problem)
            except NotLive as problem:
                return Finish(code="not_live", message=str(problem), refused=True)
            if opened is None:
                self._refuse_recovers(letters, "The exchange cannot be reached right now; try again in a moment.")
                timeout = OPEN_RETRY_SECONDS
                if self._mode is not Mode.TRADE:
                    return Finish(code="stopped", message="Bot stopped before it could reach the exchange.")
                continue
            finish, timeout = self._look(opened, letters)
            if finish is not None:
                return finish
            if timeout is None or timeout >= AT_REST_SECONDS:
                self._tell_answered(self._asked_token)

    def _look(self, opened: Opened, letters: list[Letter]) -> tuple[Finish | None, float | None]:
        """One pass and what follows from it: an end, or how long to wait. Nothing that was read is kept meanwhile."""
        began_ms = self._parts.clock.now_ms()
        was_due = self._listening.look_is_due
        if was_due and not letters and self._listening.gives_way(self._look_at):
            return None, looks_after(self.user_id)
        try:
            self._listening.look_is_due = self._follow(opened, letters)
            if self._listening.look_is_due:
                if not was_due:
                    self._look_at = time.monotonic() + looks_after(self.user_id)
                self._has_followed = True
                self._on_show(self.user_id)
                return None, max(0.0, self._look_at - time.monotonic())
            # Behind that: whatever is told from now on is delivered, whatever was gathered before is seen by this look.
            self._unshown.heard(self._listening.take_held())
            self._recover_if_asked(opened, letters)
            one_pass = run_pass(opened.memory, self._mode, last_cycle=self._last_cycle)
            bare = opened.memory.is_bare or self.snapshot.protection.is_alarming
            result = opened.driver.run(one_pass, woken=bool(letters), bare=bare)
        except PassAbandoned:
            return _LEAVING, None
        refused = self._key_refused(opened.memory, result)
        if result.finish or refused:
            return self._ending(opened, result, refused, began_ms), None
        self._after_pass(opened, result, began_ms)
        again: float | None = None
        if result.seen is not None:
            self._listening.looked(result.seen)
            again = self._unshown.looked(result.seen, opened.memory)
        timeout = self._timeout(result)
        return None, timeout if again is None or timeout is None else min(timeout, again)

    def _next_letters(self, timeout: float | None) -> list[Letter]:
        """Wait for letters that are news, at most for `timeout` seconds; empty when the time is over."""
        due = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if due is None else max(0.0, due - time.monotonic())
            letters = self.mailbox.take_all(left)
            self._unshown.heard(news_in(letters))
            opened = self._opened
            if not letters or opened is None:
                return letters
            worth = self._listening.worth(letters, opened.memory)
            if worth is Worth.NEWS or (worth is Worth.HINT and not self._listening.look_is_due):
                return letters

    def _hurry(self) -> None:
        """A fill was told: a look that waits in line must not hold up the exits. Called on the streams' thread.

        Where no exit rests there is none to move: the very look that waits is what places the first one.
        """
        opened = self._opened
        if opened is not None and not opened.memory.is_bare:
            opened.driver.hurry()

    def _follow(self, opened: Opened, letters: list[Letter]) -> bool:
        """Let the exits go with the fills that a stream told of. True when they did and nothing else was told.

        Then the look has a moment: when everybody is filled at once, nobody's reads come before anybody's exits.
        """
        fills = self._listening.fills_told(letters)
        if not fills or self._mode is not Mode.TRADE:
            return False
        acted = opened.driver.run(follow_fills(opened.memory, fills), woken=True)
        return bool(acted.words) and not acted.open and self._listening.is_only_of_fills(letters)

    def _read_commands(self, letters: list[Letter]) -> None:
        for letter in letters:
            if isinstance(letter, Stop):
                self._mode = letter.mode
                self._publish(replace(self.snapshot, status=BotStatus.STOPPING, message="Bot is stopping"))
            elif isinstance(letter, LastCycle):
                self._last_cycle = True
            elif isinstance(letter, Wake):
                self._asked_token = max(self._asked_token, letter.token)

    def _recover_if_asked(self, opened: Opened, letters: list[Letter]) -> None:
        for letter in letters:
            if isinstance(letter, Recover):
                letter.answer.set_result(self._recover(opened, dry_run=letter.dry_run, runs=True))

    def _ending(self, opened: Opened, result: PassResult, refused: Finish | None, began_ms: int) -> Finish:
        self._publish(self._picture(opened, result, began_ms, stopping=True))
        return result.finish or refused or Finish(code="stopped", message="")

    def _picture(self, opened: Opened, result: PassResult, began_ms: int, *, stopping: bool) -> BotSnapshot:
        """The snapshot after a pass that began at `began_ms`."""
        venue_ms, now_ms = opened.clock.now_ms(), self._parts.clock.now_ms()
        sight = sight_of(opened.memory, result, venue_ms)
        return after_pass(
            self.snapshot,
            opened.memory,
            result,
            protection=after(self.snapshot.protection, sight, began_ms=began_ms, now_ms=now_ms),
            stopping=stopping,
            now_ms=venue_ms,
            last_cycle=self._last_cycle,
        )

    def _after_pass(self, opened: Opened, result: PassResult, began_ms: int) -> None:
        now_ms, before = opened.clock.now_ms(), self.snapshot
        self._publish(self._picture(opened, result, began_ms, stopping=self._mode is not Mode.TRADE))
        self._on_look(self)
        self._note_attention(opened, before.attention, opened.memory.attention, now_ms)
        begun = opened.memory.cycle is not None or self.snapshot.attention is not None
        if begun and result.seen is not None and result.wake_in_ms != 0:
            self.verdict.set()  # and not while the ladder is being laid: whoever pressed Start wants to see it

    def _note_attention(self, opened: Opened, before: Attention | None, now: Attention | None, now_ms: int) -> None:
        """Tell the trader's feed when something begins to need attention, and when that is over; not each retry."""
        if (before and before.code) == (now and now.code):
            return
        kind, data = (EventKind.ATTENTION, {"message": now.message}) if now else (EventKind.ATTENTION_OVER, {})
        self._tell_feed(opened, BotEvent(kind=kind, at_ms=now_ms, data=data))
        if now:
            log.warning("A bot needs attention.", code=now.code, said=now.message)
        else:
            log.info("The bot is well again.")

    def _tell_feed(self, opened: Opened, event: BotEvent) -> None:
        """Add a line to the trader's feed. A line that cannot be stored is logged; no bot ends because of one."""
        try:
            opened.journal.save([EventNoted(event=event)], durable=False)
        except DatabaseProblem as problem:
            log.error("A line of the feed could not be stored.", problem=str(problem))

    def _timeout(self, result: PassResult) -> float | None:
        """Seconds to wait for the next letter."""
        poll = self._parts.poll_seconds
        if poll is not None and self._listening.is_up:
            in_trouble = self.snapshot.attention is not None
            poll = max(poll, idle_wait(self.user_id, time.monotonic(), in_trouble=in_trouble))
        elif poll is not None and self.snapshot.settings.mode is not TradingMode.PAPER:
            poll = max(poll, REMOTE_POLL_SECONDS)
        if poll is not None:
            return next_look_in_ms(result, round(poll * 1000)) / 1000
        wake = None if result.wake_in_ms is None else result.wake_in_ms / 1000
        return wake if wake is not None and wake < AT_REST_SECONDS else None

    def _without_key(self, problem: BlitzError) -> Finish:
        """The market cannot be opened for want of a key. What the exchange said of the stored one stays known."""
        if isinstance(problem, MissingCredentials) and problem.refused:
            refused = Attention(code=KEY_REJECTED_CODE, message=problem.refused)
            self.snapshot = replace(self.snapshot, attention=refused)
        return Finish(code="missing_credentials", message=str(problem), refused=True)

    def _key_refused(self, memory: BotMemory, result: PassResult) -> Finish | None:
        """A key that is refused at the very first look means that Start was pressed with a wrong key.

        And a bot that is asked to stop does not wait for ever for a key that goes on being refused.
        """
        self._refused_looks = self._refused_looks + 1 if result.refusal is Refusal.KEY else 0
        if self._refused_looks == 0:
            return None
        why = f"The exchange refuses the API key ({result.trouble})"
        left = unfinished_in(memory)
        said = left.cannot_go_on(why) if left else f"{why}. Check key and secret under Account."
        if self._started_by_trader and not self.verdict.is_set():
            return Finish(code="missing_credentials", message=said, refused=True)
        if self._mode is not Mode.TRADE and self._refused_looks >= REFUSED_LOOKS_MAX:
            return Finish(code="stopped", message=f"Bot stopped, and nothing was taken back. {said}")
        return None

    # Opening

    def _opened_for_next_pass(self) -> Opened | None:
        """The open connection, renewed when settings have changed and no cycle is open; None when it cannot be had."""
        opened, began_ms = self._opened, self._parts.clock.now_ms()
        try:
            if opened is None or is_outdated(self._parts, self.user_id, opened):
                self._opening_since = time.monotonic()
                before, self._opened = opened, self._open()
                opened = self._opened
                self._note_account(before, opened)
                self._listening.listen_to(opened.venue, opened.credentials, opened.memory.instrument.venue_symbol)
        except (GatewayProblem, DatabaseProblem) as problem:  # both pass; a bot that ended would stay away (E1, E2)
            protection = unread(self.snapshot.protection, unreachable(str(problem)), since_ms=began_ms)
            waits_for = "database" if isinstance(problem, DatabaseProblem) else "exchange"
            message = f"Waiting for the {waits_for}: {problem}"
            self._publish(replace(self.snapshot, message=message, protection=protection))
            self._on_look(self)
            return None
        finally:
            self._opening_since = None
        return opened

    def _open(self) -> Opened:
        return open_market(
            self._parts,
            self.user_id,
            by_trader=self._started_by_trader,
            begins=not self.verdict.is_set(),
            leaving=self.stop_event,
            on_remembered=self._recall,
        )

    def _recall(self, remembered: Remembered, in_force: LadderSettings) -> None:
        """What the journal knows to be open, and where, may be said before the exchange was asked."""
        protection = remembered_as(self.snapshot.protection, remembered, self._parts.clock.now_ms())
        known = before_a_look(self.snapshot, in_force, remembered)
        self.snapshot = replace(known, protection=protection)

    def _note_account(self, before: Opened | None, opened: Opened) -> None:
        """Tell the trader's feed when the bot goes on with the settings' account after a cycle on another one."""
        if before is None or before.venue.account == opened.venue.account:
            return
        places = {"before": place_of(before.memory.settings), "now": place_of(opened.memory.settings)}
        at_ms, last = self._parts.clock.now_ms(), before.memory.last_cycle
        self._tell_feed(opened, BotEvent(kind=EventKind.ACCOUNT_CHANGED, at_ms=at_ms, cycle=last, data=places))
        log.info("The bot goes on with another account.", **places)

    # Recover

    def _recover(self, opened: Opened, *, dry_run: bool, runs: bool) -> Recovery:
        """Run create-only passes until nothing is missing.

        Legs of a cycle that was just taken over are due only behind the fence. A bot that runs sends them itself and
        must not be held up until then; for one that does not, nobody else would.
        """
        words: list[str] = []
        mode = Mode.RECOVER_DRY if dry_run else Mode.RECOVER
        result = PassResult(trouble="No pass was run.")
        began_ms = self._parts.clock.now_ms()
        for _ in range(RECOVER_TRIES):
            began_ms = self._parts.clock.now_ms()
            result = opened.driver.run(run_pass(opened.memory, mode), bare=opened.memory.is_bare)
            words += [word for word in result.words if word not in words]
            wait_ms = 0 if dry_run or runs else opened.memory.entries_from_ms - began_ms
            if (result.settled and wait_ms <= 0) or (dry_run and result.seen is not None):
                break
            time.sleep(min(max(RECOVER_PAUSE_SECONDS, wait_ms / 1000), RECOVER_WAIT_SECONDS))
        actions = ["checked_positions", *(word for word in words if word != "checked_positions")]
        if len(actions) == 1 and (result.settled or (dry_run and result.seen is not None)):
            actions.append("no_missing_orders")
        if not dry_run and len(actions) > 1 and "no_missing_orders" not in actions:
            event = BotEvent(
                kind=EventKind.RECOVERED,
                at_ms=opened.clock.now_ms(),
                cycle=opened.memory.cycle.number if opened.memory.cycle else 0,
                data={"actions": ", ".join(actions)},
            )
            self._tell_feed(opened, event)
        self.snapshot = self._picture(opened, result, began_ms, stopping=False)
        complete = result.settled or (dry_run and result.seen is not None)
        return Recovery(words=tuple(actions), complete=complete, trouble=_trouble(opened, result, complete=complete))

    # Telling

    def _publish(self, snapshot: BotSnapshot) -> None:
        changed = snapshot.status is not self.snapshot.status or snapshot.message != self.snapshot.message
        self.snapshot, self._has_followed = snapshot, False
        if changed:
            self._on_change(self)
        self._on_show(self.user_id)

    def _tell_answered(self, token: int) -> None:
        with self._answered:
            self._answered_token = max(self._answered_token, token)
            self._answered.notify_all()


_LEAVING = Finish(code="shutdown", message="The server is shutting down; every order stays where it is.")


def _trouble(opened: Opened, result: PassResult, *, complete: bool) -> str:
    if complete:
        return ""
    if result.trouble:
        return result.trouble
    if opened.memory.attention is not None:
        return opened.memory.attention.message
    return "Something could not be settled yet; run recover again in a few seconds."

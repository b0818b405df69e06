"""SimpleBotManager: starts, stops, watches, recovers and resumes the bots. One bot per user, one thread per bot.

The lock guards the dictionary and is never held over I/O, a join or a wait: one user's slow exchange delays nobody. A
bot that has not ended yet stays listed, so that a second one can never be started beside it.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as AnswerTimeout
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypedDict, cast

import structlog

from blitz.bots.bells import Bells
from blitz.bots.glance import BotGlance, glance
from blitz.bots.incidents import Incidents, ProtectionFigures
from blitz.bots.mailbox import LastCycle, Recover, Recovery, Shutdown, Stop, Wake
from blitz.bots.opening import BotParts, MissingCredentials, NotLive, refuse_impossible, settings_to_trade
from blitz.bots.protection import Protection
from blitz.bots.resting import at_rest, give_up
from blitz.bots.status import MESSAGES, BotSnapshot, BotStatus, after_the_end, at_price
from blitz.bots.unfinished import Unfinished
from blitz.bots.user_bot import UserBot
from blitz.clock import iso_utc
from blitz.core.ladder_settings import LadderSettings, plain
from blitz.core.memory import Attention
from blitz.core.records import BotEvent, EventKind, EventNoted
from blitz.core.work import Finish, Mode
from blitz.errors import BlitzError, DatabaseProblem, GatewayProblem
from blitz.storage.history import History
from blitz.storage.journal import BotJournal, open_cycle

log = structlog.get_logger(__name__)

VERDICT_SECONDS = 0.9
"""How long Start waits for the first pass to say whether the bot can begin (L4: start answers within a second)."""
UNLISTED_SECONDS = 0.5
"""How long Start waits for a bot that says that it has ended to leave the list."""
STOP_SECONDS = 1.8
"""How long Stop waits for the bot to end (L4: stop answers within two seconds)."""
RECOVER_SECONDS = 12.0
DRAIN_SECONDS = 15.0
WATCH_SECONDS = 1.0
"""How often the watchdog looks for threads that hang and for positions that nobody can vouch for."""
RESUME_STAGGER_SECONDS = 0.02

STALLED = Attention(
    code="stalled",
    message="The bot hangs in a call to the exchange. Its orders stay where they rest; no second bot is started beside "
    "it. If this lasts, restart the server: it goes on from what the exchange shows.",
)

UNWATCHED = "The bot is stopped: nobody moves the take-profit when a leg fills. Press Start."

SHUTTING_DOWN = {
    "success": False,
    "message": "The server is shutting down; try again when it is back.",
    "status": "shutting_down",
}

STOP_MODES = {
    ("pull", "keep"): Mode.STOP_PULL,
    ("keep", "keep"): Mode.STOP_KEEP,
    ("pull", "close"): Mode.CLOSE,
    ("keep", "close"): Mode.CLOSE,
}


class BotInfo(TypedDict):
    """One managed bot, in the documented shape and a little more."""

    thread: threading.Thread
    stop_event: threading.Event
    start_time: float
    """Monotonic seconds, so that uptime never jumps with the wall clock."""
    status: str
    bot: UserBot


class SimpleBotManager:
    """The documented five methods over `managed_bots`, and what a server needs around them."""

    def __init__(self, parts: BotParts, history: History, maintenance: Callable[[], str] = str) -> None:
        """`maintenance` tells why no bot may be started now; empty when it may."""
        self.managed_bots: dict[int, BotInfo] = {}
        self._parts = parts
        self._history = history
        self._maintenance = maintenance
        self._lock = threading.Lock()
        self.bells = Bells()
        """Wake whoever watches a bot; see `bots.bells`."""
        self._visited: set[int] = set()
        """Users whose orders are being recovered without a running bot."""
        self._last: dict[int, BotSnapshot] = {}
        """The final picture of bots that ended in this process."""
        self._incidents = Incidents(self._tell_feed)
        self._closing = threading.Event()
        self._watchdog = threading.Thread(target=self._watch, name="bot_watchdog", daemon=True)

    # The documented five

    def start_bot_for_user(self, user_id: int) -> dict[str, Any]:
        """Start the user's bot. A second start is refused while the first one lives, even while it is stopping."""
        if self._closing.is_set():
            return dict(SHUTTING_DOWN)
        if why := self._maintenance():
            return _answer(False, "maintenance", f"No bot can be started now: {why}")
        refusal = self._cannot_start(user_id)
        if refusal is not None:
            return refusal
        ending = self._bot(user_id)
        if ending is not None and not ending.snapshot.status.is_alive:
            ending.ended.wait(UNLISTED_SECONDS)  # its status says so already, and its record is being written
        bot = self._register(user_id)
        if bot is None and self._is_ending(user_id):
            bot = self._register(user_id)
        if bot is None and self._closing.is_set():
            return dict(SHUTTING_DOWN)
        if bot is None:
            return _answer(False, "already_running", "Bot is already running")
        try:
            self._parts.store.set_desired(user_id, "running")
        except DatabaseProblem:
            with self._lock:
                del self.managed_bots[user_id]
            raise
        self._note(user_id, EventKind.STARTED)
        bot.start(by_trader=True)
        bot.verdict.wait(VERDICT_SECONDS)
        if bot.finish is not None and bot.finish.refused:
            return _refused(bot.finish)
        log.info("Bot started.", user_id=user_id)
        return _answer(True, "started", "Bot started successfully")

    def stop_bot_for_user(
        self, user_id: int, *, legs: str = "pull", when: str = "now", position: str = "keep"
    ) -> dict[str, Any]:
        """Stop the user's bot. By default its resting entry legs are pulled and the exits stay."""
        bot = self._bot(user_id)
        if bot is None or bot.ended.is_set():
            return _answer(False, "not_running", "Bot is not running")
        if when == "after_cycle":
            self._parts.store.set_desired(user_id, "after_cycle")
            bot.mailbox.put(LastCycle())
            return _answer(True, "stopping_after_cycle", "Bot stops when this cycle is finished")
        self._parts.store.set_desired(user_id, "stopped")
        bot.stop_asked = True
        bot.mailbox.put(Stop(mode=STOP_MODES[(legs, position)]))
        if not bot.ended.wait(STOP_SECONDS):
            return _answer(True, "stopping", "Bot is stopping; its orders are still being settled at the exchange.")
        bot.thread.join(STOP_SECONDS)
        finish = bot.finish
        log.info("Bot stopped.", user_id=user_id)
        return _answer(True, "stopped", finish.message if finish else "Bot stopped successfully")

    def get_bot_status(self, user_id: int) -> dict[str, Any]:
        """The last published state. Never asks an exchange, never waits for a bot."""
        with self._lock:
            info = self.managed_bots.get(user_id)
            last = self._last.get(user_id)
        snapshot = at_price(_shown(info["bot"]), info["bot"].pushed_price) if info else last
        uptime = int(time.monotonic() - info["start_time"]) if info else 0
        status, message = self._status_words(user_id, snapshot)
        now_ms = self._parts.clock.now_ms()
        head = {"running": status.is_alive, "status": status.value, "uptime": uptime, "message": message}
        user = self._parts.users.by_id(user_id)
        if user is None:
            return head
        snapshot = snapshot or BotSnapshot(status=status, message=message, settings=user.settings)
        if info is None or not snapshot.status.is_alive:  # one that has said its last word may still be listed
            snapshot, unfinished = at_rest(self._parts, user, snapshot)
        else:
            unfinished = _goes_first(snapshot, user.settings)
        incident = self._incidents.of(user_id)
        protection = info["bot"].protection(now_ms) if info else snapshot.protection.as_of(now_ms)
        protected = protection.to_json(now_ms, incident.since_ms if incident else None)
        stream = {"stream": _stream(info["bot"])} if info else {}
        profit = self._profit(user_id, snapshot.settings.account)
        return head | snapshot.to_json(protected) | {"unfinished": unfinished} | stream | {"profit": profit}

    def recover_orders_for_user(self, user_id: int, *, dry_run: bool = False) -> dict[str, Any]:
        """Create the missing take-profit and legs, and nothing else. Works whether or not the bot runs."""
        try:
            recovery = self._recover(user_id, dry_run=dry_run)
        except MissingCredentials as problem:
            return _answer(False, "missing_credentials", str(problem)) | {"actions": []}
        except NotLive as problem:
            return _answer(False, "not_live", str(problem)) | {"actions": []}
        except BlitzError as problem:
            return _answer(False, "exchange_unreachable", str(problem)) | {"actions": []}
        log.info("Orders recovered.", user_id=user_id, actions=", ".join(recovery.words), dry_run=dry_run)
        told = _answer(recovery.complete, "recovered", "Recovery process completed")
        if not recovery.complete:
            told = _answer(False, "incomplete", f"Recovery is not complete: {recovery.trouble}")
        elif not dry_run and self._bot(user_id) is None and any(word.startswith("created") for word in recovery.words):
            told["message"] += f". {UNWATCHED}"
        return told | {"actions": list(recovery.words)} | ({"dry_run": True} if dry_run else {})

    def give_up_cycle(self, user_id: int, cycle: int | None = None) -> dict[str, Any]:
        """Close the open cycle in the journal as given up; `cycle` is its number, any when None. Asks no exchange.

        Only while the bot does not run: whatever lies at the exchange is the trader's to look after from then on.
        """
        if self._closing.is_set():
            return dict(SHUTTING_DOWN)
        ending = self._bot(user_id)
        if ending is not None and not ending.snapshot.status.is_alive:
            ending.ended.wait(UNLISTED_SECONDS)
        with self._lock:
            if user_id in self.managed_bots:
                return _answer(False, "bot_running", "The bot is running and looks after its cycle. Stop it first.")
            if user_id in self._visited:
                return _answer(False, "busy", "Somebody is at this bot's orders already; try again in a moment.")
            self._visited.add(user_id)
        try:
            return self._give_up(user_id, cycle)
        finally:
            with self._lock:
                self._visited.discard(user_id)

    def get_all_bot_statuses(self) -> dict[str, Any]:
        """Every managed bot, in the documented shape."""
        with self._lock:
            managed = dict(self.managed_bots)
        now = time.monotonic()
        shown = {user_id: _shown(info["bot"]).status for user_id, info in sorted(managed.items())}
        users = {
            str(user_id): {
                "running": status.is_alive,
                "status": status.value,
                "uptime": int(now - managed[user_id]["start_time"]),
            }
            for user_id, status in shown.items()
        }
        totals = {
            "total_managed": len(users),
            "total_running": sum(1 for one in users.values() if one["running"]),
            "timestamp": iso_utc(self._parts.clock.now_ms()),
        }
        return {"users": users, "totals": totals}

    def overview(self) -> dict[int, BotGlance]:
        """Every bot that runs or has ended in this process, at a glance. From memory alone, a few microseconds each."""
        now_ms, now = self._parts.clock.now_ms(), time.monotonic()
        with self._lock:
            managed, last = dict(self.managed_bots), dict(self._last)
        seen = {user_id: glance(one, one.protection.as_of(now_ms), 0) for user_id, one in last.items()}
        for user_id, info in managed.items():
            bot = info["bot"]
            seen[user_id] = glance(_shown(bot), bot.protection(now_ms), int(now - info["start_time"]))
        return seen

    def protection_figures(self) -> ProtectionFigures:
        """How many positions are open, protected and not, and how many incidents there are."""
        now_ms = self._parts.clock.now_ms()
        protections = [self._protection(user_id, now_ms) for user_id in self._known()]
        return self._incidents.figures(protections, now_ms)

    def bots_told(self) -> int:
        """How many bots are told by their streams of whatever happens."""
        with self._lock:
            bots = [info["bot"] for info in self.managed_bots.values()]
        return sum(1 for bot in bots if bot.is_told)

    # The server's side

    def resume_all(self) -> int:
        """Start every bot that should run, one after the other; answers how many."""
        self._watchdog.start()
        users = self._parts.store.should_run()
        for user_id in users:
            bot = self._register(user_id)
            if bot is None:
                continue
            bot.start(by_trader=False, last_cycle=self._parts.store.desired(user_id) == "after_cycle")
            self._note(user_id, EventKind.RESUMED)
            log.info("Bot resumed.", user_id=user_id)
            self._closing.wait(RESUME_STAGGER_SECONDS)
        return len(users)

    def shut_down(self) -> None:
        """End every thread without sending or cancelling anything; the bots resume at the next start."""
        with self._lock:
            self._closing.set()  # under the lock: no bot is listed after this
            bots = [info["bot"] for info in self.managed_bots.values()]
        for bot in bots:
            bot.stop_event.set()
            bot.mailbox.put(Shutdown())
        deadline = time.monotonic() + DRAIN_SECONDS
        for bot in bots:
            bot.ended.wait(max(0.0, deadline - time.monotonic()))

    def wake(self, user_id: int, token: int = 0) -> UserBot | None:
        """Have the user's bot look now; answers the bot, so that the caller may wait for it."""
        bot = self._bot(user_id)
        if bot is not None:
            bot.mailbox.put(Wake(token=token))
        return bot

    # Inside

    def _bot(self, user_id: int) -> UserBot | None:
        with self._lock:
            info = self.managed_bots.get(user_id)
        return info["bot"] if info else None

    def _register(self, user_id: int) -> UserBot | None:
        """List a new bot for the user; None when one is listed already or somebody recovers for this user."""
        bot = UserBot(user_id, self._parts, self._changed, self._looked, self.bells.ring)
        with self._lock:
            if user_id in self.managed_bots or user_id in self._visited or self._closing.is_set():
                return None
            self.managed_bots[user_id] = BotInfo(
                thread=bot.thread,
                stop_event=bot.stop_event,
                start_time=time.monotonic(),
                status=BotStatus.STARTING.value,
                bot=bot,
            )
            self._last.pop(user_id, None)
        return bot

    def _is_ending(self, user_id: int) -> bool:
        """Whether the user's bot has told its end and only had to leave the list: it has left when this answers."""
        bot = self._bot(user_id)
        return bot is None or (not bot.snapshot.status.is_alive and bot.ended.wait(UNLISTED_SECONDS))

    def _changed(self, bot: UserBot) -> None:
        """Called by a bot's thread when its status changed: keep the list, the record and the log true."""
        snapshot = bot.snapshot
        with self._lock:
            info = self.managed_bots.get(bot.user_id)
            if info is None or info["bot"] is not bot:
                return
            info["status"] = snapshot.status.value
        try:
            self._parts.store.record_status(bot.user_id, snapshot.status.value, snapshot.message)
            if not snapshot.status.is_alive and not bot.ends_with_server:
                self._ended(bot)
        except DatabaseProblem as problem:
            # What is lost is a record; no bot ends and no position goes uncovered because of one.
            log.error("The bot's status could not be recorded.", user_id=bot.user_id, problem=str(problem))
        finally:
            # Unlisted last: what this bot writes at its end must never overwrite the wish of the next one.
            if not snapshot.status.is_alive:
                with self._lock:
                    self._last[bot.user_id] = after_the_end(snapshot, self._parts.clock.now_ms())
                    del self.managed_bots[bot.user_id]
                self._looked(bot)

    def _looked(self, bot: UserBot) -> None:
        """Called by a bot's thread after each look, and at its end."""
        if not self._closing.is_set():
            self._judge(bot.user_id)
            self._incidents.tell()

    def _judge(self, user_id: int) -> None:
        """Let the user's incident begin, change or end."""
        now_ms = self._parts.clock.now_ms()
        with self._lock:
            info, last = self.managed_bots.get(user_id), self._last.get(user_id)
        known = info["bot"].snapshot if info else last
        if known is None:
            return
        self._incidents.judge(
            user_id,
            known.settings.symbol,
            lambda: self._protection(user_id, now_ms),
            now_ms,
            not_before_ms=info["bot"].no_incident_before_ms if info else 0,
        )

    def _protection(self, user_id: int, now_ms: int) -> Protection:
        """What may be said now of the position of a bot that lives or has ended in this process."""
        with self._lock:
            info, last = self.managed_bots.get(user_id), self._last.get(user_id)
        if info is not None:
            return info["bot"].protection(now_ms)
        return last.protection.as_of(now_ms) if last else Protection()

    def _known(self) -> list[int]:
        """Every user of whose position something is known."""
        with self._lock:
            return sorted({*self.managed_bots, *self._last})

    def _ended(self, bot: UserBot) -> None:
        """A bot ended by itself, by its trader or by a fault: only a fault leaves the wish to run as it is."""
        if bot.snapshot.status is BotStatus.ERROR:
            self._note(bot.user_id, EventKind.FAILED, message=bot.snapshot.message)
            return
        self._parts.store.set_desired(bot.user_id, "stopped")
        self._note(bot.user_id, EventKind.STOPPED, message=bot.snapshot.message)

    def _cannot_start(self, user_id: int) -> dict[str, Any] | None:
        """What is missing before a bot can even be tried."""
        if self._parts.users.by_id(user_id) is None:
            return _answer(False, "invalid_settings", "This user does not exist.")
        try:
            refuse_impossible(self._parts, user_id)
        except MissingCredentials as problem:
            return _answer(False, "missing_credentials", str(problem))
        except NotLive as problem:
            return _answer(False, "not_live", str(problem))
        except DatabaseProblem as problem:
            log.warning("What a bot would need cannot be read; it waits for it.", user_id=user_id, problem=str(problem))
        return None

    def _recover(self, user_id: int, *, dry_run: bool) -> Recovery:
        bot = self._bot(user_id)
        if bot is not None:
            letter = Recover(dry_run=dry_run)
            bot.mailbox.put(letter)
            try:
                return letter.answer.result(RECOVER_SECONDS)
            except AnswerTimeout as problem:
                raise GatewayProblem("The bot is busy with a slow exchange; try again in a moment.") from problem
        with self._lock:
            if user_id in self._visited or user_id in self.managed_bots:
                raise GatewayProblem("Somebody is at this already; try again in a moment.")
            self._visited.add(user_id)
        try:
            return self._visit(user_id, dry_run=dry_run)
        finally:
            with self._lock:
                self._visited.discard(user_id)

    def _give_up(self, user_id: int, number: int | None) -> dict[str, Any]:
        user, cycle = self._parts.users.by_id(user_id), open_cycle(self._parts.database, user_id)
        if user is None or cycle is None or number not in {None, cycle.number}:
            said = "No cycle is open" if number is None else f"Cycle {number} is not open"
            return _answer(False, "no_open_cycle", f"{said}; nothing was given up.")
        unfinished, shown = give_up(self._parts, user, cycle)
        with self._lock:
            self._last[user_id] = shown
        self._judge(user_id)
        self._note(user_id, EventKind.CYCLE_GIVEN_UP, message=unfinished.given_up)
        log.warning("A cycle was given up.", user_id=user_id, cycle=unfinished.number, place=unfinished.place)
        self._record(user_id, shown)
        return _answer(True, "given_up", unfinished.given_up)

    def _record(self, user_id: int, shown: BotSnapshot) -> None:
        """Keep what a bot that does not run says over a restart."""
        try:
            self._parts.store.record_status(user_id, shown.status.value, shown.message)
        except DatabaseProblem as problem:
            log.error("The bot's status could not be recorded.", user_id=user_id, problem=str(problem))

    def _visit(self, user_id: int, *, dry_run: bool) -> Recovery:
        """Recover for a user whose bot is not running, and keep the picture that was seen."""
        status, message = self._status_words(user_id, self._last.get(user_id))
        visitor = UserBot(user_id, self._parts, self._changed, self._looked)
        recovery = visitor.recover_once(dry_run=dry_run)
        seen = replace(visitor.snapshot, status=status, message=message)
        with self._lock:
            self._last[user_id] = after_the_end(seen, self._parts.clock.now_ms())
        return recovery

    def _status_words(self, user_id: int, snapshot: BotSnapshot | None) -> tuple[BotStatus, str]:
        if snapshot is not None:
            return snapshot.status, snapshot.message
        record = self._parts.store.record(user_id)
        ended = record.status in {BotStatus.STOPPED.value, BotStatus.ERROR.value}
        if ended:
            return BotStatus(record.status), record.message or MESSAGES[BotStatus.STOPPED]
        return BotStatus.NOT_RUNNING, MESSAGES[BotStatus.NOT_RUNNING]

    def _profit(self, user_id: int, account: str) -> dict[str, str | int]:
        totals = self._history.totals(user_id, account=account)
        figures: dict[str, Decimal] = {
            "realised": totals.realised,
            "fees": totals.fees,
            "funding": totals.funding,
            "net": totals.net,
        }
        return {name: plain(figure) for name, figure in figures.items()} | {"cycles": totals.cycles}

    def _note(self, user_id: int, kind: EventKind, **data: str) -> None:
        self._tell_feed(user_id, kind, data)

    def _tell_feed(self, user_id: int, kind: EventKind, data: Mapping[str, str]) -> None:
        """Add a line to the trader's feed."""
        try:
            if self._parts.users.by_id(user_id) is None:
                return
            account = settings_to_trade(self._parts, user_id).account
            journal = BotJournal(self._parts.database, user_id, account)
            event = BotEvent(kind=kind, at_ms=self._parts.clock.now_ms(), data=data)
            journal.save([EventNoted(event=event)], durable=False)
        except DatabaseProblem as problem:
            log.error("A line of the feed could not be stored.", user_id=user_id, problem=str(problem))

    def _watch(self) -> None:
        """Look for bots whose thread hangs in a call, and judge every position.

        Never starts a second bot beside one that hangs: the first may still send.
        """
        told: set[int] = set()
        while not self._closing.wait(WATCH_SECONDS):
            with self._lock:
                bots = [info["bot"] for info in self.managed_bots.values()]
            stalled = {bot.user_id for bot in bots if bot.is_stalled}
            for user_id in stalled - told:
                log.error("Bot is stalled.", user_id=user_id)
                self._note(user_id, EventKind.ATTENTION, message=STALLED.message)
            for user_id in told - stalled:
                log.info("Bot is no longer stalled.", user_id=user_id)
            told = stalled
            for user_id in self._known():
                self._judge(user_id)
            self._incidents.tell_slowly(WATCH_SECONDS)


def _stream(bot: UserBot) -> dict[str, Any]:
    """How the bot learns of what happens: told at once, or by asking again and again."""
    trouble = bot.stream_trouble
    return {"live": bot.is_told, "why": trouble}


def _goes_first(snapshot: BotSnapshot, chosen: LadderSettings) -> dict[str, object] | None:
    """The status' `unfinished` of a bot that runs: its cycle is open on another account than the settings name."""
    if snapshot.cycle is None:
        return None
    unfinished = Unfinished(number=cast(int, snapshot.cycle["number"]), settings=snapshot.settings)
    return unfinished.to_json(chosen, runs=True) if unfinished.is_elsewhere(chosen) else None


def _shown(bot: UserBot) -> BotSnapshot:
    """The bot's last snapshot, or what has to be said while its thread hangs."""
    snapshot = bot.picture
    if not snapshot.status.is_alive:
        return snapshot
    if bot.stop_asked:
        snapshot = replace(snapshot, status=BotStatus.STOPPING, message=MESSAGES[BotStatus.STOPPING])
    if not bot.is_stalled:
        return snapshot
    return replace(snapshot, status=BotStatus.NEEDS_ATTENTION, message=STALLED.message, attention=STALLED)


def _answer(success: bool, status: str, message: str) -> dict[str, Any]:
    return {"success": success, "message": message, "status": status}


def _refused(finish: Finish) -> dict[str, Any]:
    """A bot that could not begin: which kind of refusal it was."""
    known = {"invalid_settings", "missing_credentials", "not_live"}
    told = _answer(False, finish.code if finish.code in known else "refused", finish.message)
    return told | ({"errors": {field: list(said) for field, said in finish.errors.items()}} if finish.errors else {})

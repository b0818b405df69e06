"""The simulated server process: its bots, its database and its clock, and what may happen to all of them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from blitz.clock import VenueTime
from blitz.core.calls import (
    Save,
)
from blitz.core.records import DesiredSaved, Remembered
from blitz.errors import DatabaseProblem
from blitz.simulation.bot import SimulatedBot, Watcher, Wish
from blitz.simulation.faults import Fault
from blitz.simulation.journals import DiskFault, Store
from blitz.simulation.world import EPOCH_MS, World

DRAIN_MS = 15_000
RESUME_STAGGER_MS = 20
DISK_FAULTS = {
    Fault.DATABASE_BUSY: DiskFault.BUSY,
    Fault.DISK_FULL: DiskFault.FULL,
    Fault.DISK_ERROR: DiskFault.ERROR,
    Fault.COMMIT_UNANSWERED: DiskFault.UNANSWERED,
}


@dataclass(slots=True)
class MachineClock:
    """The clock of the machine: the wall clock may be set, the monotonic one may not."""

    world: World
    wall_error_ms: int = 0

    def now_ms(self) -> int:
        """What the wall clock shows."""
        return self.world.now_ms + self.wall_error_ms

    def monotonic_ms(self) -> int:
        """Milliseconds since the beginning of the seed."""
        return self.world.now_ms - EPOCH_MS


@dataclass(slots=True, kw_only=True)
class SimulatedServer:
    """One process with its bots and its database."""

    world: World
    store: Store
    watcher: Watcher
    clock: MachineClock
    venue_time: VenueTime
    bots: list[SimulatedBot] = field(default_factory=list)
    up: bool = False
    draining: bool = False
    epoch: int = 0
    """Which process this is, counted from the first."""
    started_ms: int = 0
    disk_faults: tuple[tuple[Fault, DiskFault], ...] = field(init=False)
    """What the disk of this seed may do."""
    frozen_ms: int = 0
    """Until when the process is stopped in its tracks."""
    restored_ms: int = 0
    """Until when somebody is busy putting another database in its place: it does not start before."""

    def __post_init__(self) -> None:
        self.disk_faults = tuple(each for each in DISK_FAULTS.items() if each[0] in self.world.swarm.force)

    def start(self) -> None:
        """A new process: every bot that should run resumes, one after the other."""
        if self.up or self.world.now_ms < self.restored_ms:
            return
        self.up, self.draining = True, False
        self.epoch += 1
        self.frozen_ms = 0
        self.venue_time = VenueTime(self.clock)
        self.started_ms = self.world.now_ms
        self.world.tell(f"server starts ({self.epoch})")
        for number, bot in enumerate(self.bots):
            if bot.wish is not Wish.REST:
                self.world.after(number * RESUME_STAGGER_MS, self._resume(bot))

    def _resume(self, bot: SimulatedBot) -> Callable[[], None]:
        epoch = self.epoch

        def resume() -> None:
            if self.up and self.epoch == epoch and not bot.runs and bot.wish is not Wish.REST:
                bot.start(by_trader=False)

        return resume

    def kill(self) -> None:
        """`kill -9`: everything in the process is gone at once."""
        if not self.up:
            return
        self.up = False
        self.world.tell("server is killed")
        for bot in self.bots:
            bot.die()

    def drain(self) -> None:
        """SIGTERM: no bot begins another pass; what is going on ends by itself, or is cut off in the end."""
        if self.up and not self.draining:
            self.draining = True
            self.world.tell("server shuts down")
            self._drained(self.world.now_ms + DRAIN_MS)

    def _drained(self, deadline_ms: int) -> None:
        if not self.up or not self.draining:
            return
        if all(bot.is_between_passes for bot in self.bots) or self.world.now_ms >= deadline_ms:
            self.kill()
            return
        self.world.after(50, lambda: self._drained(deadline_ms))

    def holds_back(self, act: Callable[[], None]) -> bool:
        """Whether the process is paused; then `act` follows once it goes on."""
        if self.world.now_ms >= self.frozen_ms:
            return False
        self.world.after(self.frozen_ms - self.world.now_ms, act)
        return True

    def dies_now(self, bot: SimulatedBot, fault: Fault) -> bool:
        """Say whether the process dies at this very yield, and if so, let it."""
        if not self.world.strikes(fault, 0.0015):
            return False
        self.world.coverage.note(fault, bot.state)
        self.kill()
        if self.world.strikes(Fault.POWER_CUT, 0.6):
            self.world.coverage.note(Fault.POWER_CUT, bot.state)
            self.world.tell("the power was cut: the last saves are gone")
            self.store.cut_power(self.world.chance("power").random())
        self.world.after(self.world.chance("boot").randint(200, 6_000), self.start)
        return True

    # The time

    def knows_the_time(self, bot: SimulatedBot) -> bool:
        """Whether the venue has told its time to this process, now at the latest."""
        if not self.venue_time.is_measured:
            self.ask_the_time(bot)
        return self.venue_time.is_measured

    def ask_the_time(self, bot: SimulatedBot) -> None:
        """Measure the venue's time: off by half of how uneven the way there and back is."""
        if self.world.now_ms < bot.network.down_ms:
            return
        error_ms = 0
        if self.world.strikes(Fault.CLOCK_SKEWED, 1.0):
            error_ms = self.world.chance("clock").randint(-900, 900)
            self.world.coverage.note(Fault.CLOCK_SKEWED, bot.state)
        here_ms = self.clock.monotonic_ms()
        self.venue_time.measured(here_ms, here_ms, self.world.now_ms + error_ms)

    # The database

    def load(self, bot: SimulatedBot) -> Remembered:
        """What the bot starts with. Raises `DatabaseProblem` when it cannot be read just now."""
        if self.world.strikes(Fault.DATABASE_BUSY, 0.05):
            self.world.coverage.note(Fault.DATABASE_BUSY, bot.state)
            raise DatabaseProblem("The database was busy.")
        return self.store.load(bot.user_id)

    def wants(self, bot: SimulatedBot) -> None:
        """Write down that the trader wants this bot to run."""
        wish = DesiredSaved(desired="running", at_ms=self.world.now_ms)
        self.store.save(bot.user_id, [wish], durable=True, fault=None)

    def save(self, bot: SimulatedBot, call: Save) -> bool:
        """Write what a pass wants written, or let the disk fail."""
        fault = None
        for name, disk_fault in self.disk_faults:
            if self.world.strikes(name, 0.02):
                self.world.coverage.note(name, bot.state)
                self.world.tell(f"{bot.name} ! {name.value}")
                fault = disk_fault
                break
        return self.store.save(bot.user_id, call.changes, durable=call.durable, fault=fault)

    def slow_disk_ms(self, bot: SimulatedBot) -> int:
        """How long this save takes; 0 is at once."""
        if not self.world.strikes(Fault.SLOW_DISK, 0.02):
            return 0
        self.world.coverage.note(Fault.SLOW_DISK, bot.state)
        return self.world.chance("disk").randint(500, 5_000)

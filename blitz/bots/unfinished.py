"""A cycle that is open: what is told of it while the settings name another account, or while its key is lost.

Pure. The sentences are for a trader who has to decide: what may still lie at the exchange, and which ways lead on.
"""

from dataclasses import dataclass
from decimal import Decimal

from blitz.core.ladder_settings import LadderSettings, plain
from blitz.core.ledger import Ledger
from blitz.core.memory import BotMemory
from blitz.core.orders import ZERO
from blitz.core.records import Remembered, SlotState


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """An open cycle, and what the journal knows to be left of it at the exchange."""

    number: int
    settings: LadderSettings
    """Frozen in it."""
    held: Decimal = ZERO
    """The position that its fills add up to."""
    orders: int = 0
    """How many of its orders may be alive."""

    @property
    def place(self) -> str:
        """Where it is open, such as `Bybit (paper)`."""
        return place_of(self.settings)

    @property
    def exchange(self) -> str:
        """The exchange as people write it."""
        return self.settings.exchange.label

    def is_elsewhere(self, chosen: LadderSettings) -> bool:
        """Whether the settings name another account than the one it is open on."""
        return chosen.account != self.settings.account

    def goes_first(self, chosen: LadderSettings) -> str:
        """The sentence while the settings name another account."""
        return (
            f"Cycle {self.number} is still open on {self.place} and is finished first; your settings "
            f"({chosen.exchange.label}, {kind_of(chosen)}) take effect with the next cycle."
        )

    def cannot_go_on(self, why: str) -> str:
        """Why no bot can look after it, what may lie there, and the two ways on. `why` says what is wrong with the key.

        One text that stands by itself: whoever reads it may have nothing else before him.
        """
        return (
            f"Cycle {self.number} is still open on {self.place}, and the bot cannot go on with it. "
            f"{why.rstrip('.')}. {self.left_there} Either store a key for {self.exchange} under "
            f"Account and press Start, or give cycle {self.number} up and look after all that yourself."
        )

    @property
    def left_there(self) -> str:
        """What may lie at the exchange, as far as this server knows."""
        side, held = self.settings.side.value, plain(self.held)
        position = f"a {side} position of {held}" if self.held > 0 else f"a {side} position"
        orders = {0: "orders", 1: "1 order"}.get(self.orders, f"{self.orders} orders")
        return f"What may still lie there: {position} on {self.settings.symbol}, and {orders} of this bot."

    @property
    def left_alone(self) -> str:
        """What giving up does not do, and who has to do it."""
        return (
            f"Nothing is cancelled or closed at {self.exchange}. Close the position and cancel the orders there "
            "yourself."
        )

    @property
    def given_up(self) -> str:
        """What to tell once it was given up."""
        return f"Cycle {self.number} on {self.place} was given up. {self.left_alone}"

    def warning(self, chosen: LadderSettings) -> str:
        """Everything that giving up means, to be read before."""
        return (
            f"{self.left_alone} {self.left_there} The cycle is closed in the books of this server with what it knows, "
            f"and no bot looks after it any more. The next Start begins with your settings on {place_of(chosen)}. "
            "This cannot be undone."
        )

    def to_json(self, chosen: LadderSettings, *, lost_key: str = "", runs: bool = False) -> dict[str, object]:
        """The status' `unfinished`. `lost_key` says what is wrong with its key; empty when nothing is known to be."""
        return {
            "cycle": self.number,
            "exchange": self.settings.exchange.value,
            "mode": self.settings.mode.value,
            "symbol": self.settings.symbol,
            "key_lost": bool(lost_key),
            "message": self.cannot_go_on(lost_key) if lost_key else self.goes_first(chosen),
            "can_give_up": not runs,
            "warning": self.warning(chosen),
        }


def unfinished_of(remembered: Remembered) -> Unfinished | None:
    """The open cycle that a journal remembers."""
    cycle = remembered.cycle
    if cycle is None:
        return None
    ledger = Ledger(side=cycle.settings.side).with_all(remembered.fills)
    alive = [
        slot for slot in remembered.slots if slot.symbol == cycle.settings.symbol and slot.state is not SlotState.EMPTY
    ]
    return Unfinished(number=cycle.number, settings=cycle.settings, held=ledger.quantity, orders=len(alive))


def unfinished_in(memory: BotMemory) -> Unfinished | None:
    """The open cycle of a bot."""
    if memory.cycle is None:
        return None
    held, orders = memory.ledger.quantity, len(memory.busy_slots)
    return Unfinished(number=memory.cycle.number, settings=memory.cycle.settings, held=held, orders=orders)


def place_of(settings: LadderSettings) -> str:
    """Where these settings trade, in words: `Bybit (paper)`."""
    return f"{settings.exchange.label} ({kind_of(settings)})"


def kind_of(settings: LadderSettings) -> str:
    """The kind of account on that exchange: paper, demo, testnet or live."""
    return settings.account.partition(":")[2]

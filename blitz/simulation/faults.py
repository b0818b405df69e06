"""Everything that the simulator can make go wrong, by name, with the row of the fault catalogue it stands for.

A seed switches each of them on or off and draws how often it strikes. Nothing here performs a fault: `network`,
`journals` and the actors do, and say so to the `Coverage`.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """One way in which the world misbehaves."""

    # The venue's REST answers
    CREATE_ANSWER_LOST = "create_answer_lost"
    CREATE_LATE = "create_late"
    CREATE_LOST = "create_lost"
    FILLED_UNSEEN = "filled_unseen"
    ID_TAKEN = "id_taken"
    VANISHED = "vanished"
    STALE_READ = "stale_read"
    EMPTY_LIST = "empty_list"
    TRUNCATED_PAGE = "truncated_page"
    POSITION_ERROR = "position_error"
    RATE_LIMITED = "rate_limited"
    ADDRESS_BANNED = "address_banned"
    SERVER_ERROR = "server_error"
    CLOCK_REFUSED = "clock_refused"
    KEY_REVOKED = "key_revoked"
    TOO_LATE_TO_AMEND = "too_late_to_amend"
    AMEND_ANSWER_LOST = "amend_answer_lost"
    CANCEL_ANSWER_LOST = "cancel_answer_lost"
    REDUCE_ONLY_REFUSED = "reduce_only_refused"
    MARGIN_REFUSED = "margin_refused"
    RULE_REFUSED = "rule_refused"
    MAINTENANCE = "maintenance"
    NETWORK_DOWN = "network_down"
    HISTORY_FORGOTTEN = "history_forgotten"
    # Events that should wake a bot
    EVENT_LOST = "event_lost"
    EVENT_REPEATED = "event_repeated"
    EVENT_BEFORE_REPLY = "event_before_reply"
    # The market
    GAP_THROUGH_LEGS = "gap_through_legs"
    GAP_THROUGH_ALL = "gap_through_all"
    LEG_PARTLY_FILLED = "leg_partly_filled"
    EXIT_PARTLY_FILLED = "exit_partly_filled"
    DUST_LEFT = "dust_left"
    RULES_CHANGED = "rules_changed"
    LEVERAGE_CHANGED = "leverage_changed"
    MARGIN_MODE_CHANGED = "margin_mode_changed"
    LIQUIDATED = "liquidated"
    DELEVERAGED = "deleveraged"
    FUNDED = "funded"
    HALTED = "halted"
    DELISTED = "delisted"
    # The process
    KILLED = "killed"
    KILLED_UNANSWERED = "killed_unanswered"
    PAUSED = "paused"
    HUNG = "hung"
    DEPLOYED = "deployed"
    # The database
    DATABASE_BUSY = "database_busy"
    DISK_FULL = "disk_full"
    DISK_ERROR = "disk_error"
    COMMIT_UNANSWERED = "commit_unanswered"
    POWER_CUT = "power_cut"
    SLOW_DISK = "slow_disk"
    BACKUP_RESTORED = "backup_restored"
    DATABASE_EMPTIED = "database_emptied"
    # The clock
    CLOCK_STEPPED = "clock_stepped"
    CLOCK_SKEWED = "clock_skewed"
    # People
    SETTINGS_EDITED = "settings_edited"
    CLOSED_BY_HAND = "closed_by_hand"
    PARTLY_CLOSED_BY_HAND = "partly_closed_by_hand"
    ADDED_BY_HAND = "added_by_hand"
    OPENED_BY_HAND = "opened_by_hand"
    EXIT_CANCELLED_BY_HAND = "exit_cancelled_by_hand"
    EXIT_EDITED_BY_HAND = "exit_edited_by_hand"
    LEG_CANCELLED_BY_HAND = "leg_cancelled_by_hand"
    FOREIGN_ORDER = "foreign_order"
    MARGIN_WITHDRAWN = "margin_withdrawn"
    SECOND_WRITER = "second_writer"
    STOP_PRESSED = "stop_pressed"
    START_PRESSED = "start_pressed"
    RECOVER_PRESSED = "recover_pressed"
    TWO_COMMANDS = "two_commands"
    # Where orders are moved by replacing them. New faults come last: those before them keep their draws.
    REPLACE_HALF_DONE = "replace_half_done"
    REPLACE_LATE = "replace_late"
    FOREIGN_STOP = "foreign_stop"
    LEG_EDITED_BY_HAND = "leg_edited_by_hand"


ROWS: dict[Fault, str] = {
    Fault.CREATE_ANSWER_LOST: "A1",
    Fault.CREATE_LATE: "A2",
    Fault.CREATE_LOST: "A3",
    Fault.FILLED_UNSEEN: "A4",
    Fault.ID_TAKEN: "A5",
    Fault.VANISHED: "A6",
    Fault.STALE_READ: "A7",
    Fault.EMPTY_LIST: "A8",
    Fault.TRUNCATED_PAGE: "A8",
    Fault.POSITION_ERROR: "A9",
    Fault.RATE_LIMITED: "A10",
    Fault.ADDRESS_BANNED: "A10",
    Fault.SERVER_ERROR: "A11",
    Fault.CLOCK_REFUSED: "A12",
    Fault.KEY_REVOKED: "A13 H5",
    Fault.TOO_LATE_TO_AMEND: "A14",
    Fault.AMEND_ANSWER_LOST: "A15",
    Fault.CANCEL_ANSWER_LOST: "A16",
    Fault.REDUCE_ONLY_REFUSED: "A18",
    Fault.MARGIN_REFUSED: "A19",
    Fault.RULE_REFUSED: "A20",
    Fault.MAINTENANCE: "A21",
    Fault.NETWORK_DOWN: "A22",
    Fault.HISTORY_FORGOTTEN: "A23",
    Fault.EVENT_LOST: "B1",
    Fault.EVENT_REPEATED: "B2",
    Fault.EVENT_BEFORE_REPLY: "B5",
    Fault.GAP_THROUGH_LEGS: "C1",
    Fault.GAP_THROUGH_ALL: "C2",
    Fault.LEG_PARTLY_FILLED: "C3",
    Fault.EXIT_PARTLY_FILLED: "C4",
    Fault.DUST_LEFT: "C5",
    Fault.RULES_CHANGED: "C6",
    Fault.LEVERAGE_CHANGED: "C7",
    Fault.MARGIN_MODE_CHANGED: "C7",
    Fault.LIQUIDATED: "C8",
    Fault.DELEVERAGED: "C9",
    Fault.FUNDED: "C10",
    Fault.HALTED: "C11",
    Fault.DELISTED: "C12",
    Fault.KILLED: "D1",
    Fault.KILLED_UNANSWERED: "D1 D3",
    Fault.PAUSED: "D6",
    Fault.HUNG: "D4",
    Fault.DEPLOYED: "D2 I1",
    Fault.DATABASE_BUSY: "E1",
    Fault.DISK_FULL: "E2",
    Fault.DISK_ERROR: "E2",
    Fault.COMMIT_UNANSWERED: "E8",
    Fault.POWER_CUT: "E3",
    Fault.SLOW_DISK: "E5",
    Fault.BACKUP_RESTORED: "E6",
    Fault.DATABASE_EMPTIED: "E6",
    Fault.CLOCK_STEPPED: "F1",
    Fault.CLOCK_SKEWED: "F2",
    Fault.SETTINGS_EDITED: "H1",
    Fault.CLOSED_BY_HAND: "H2",
    Fault.PARTLY_CLOSED_BY_HAND: "H2",
    Fault.ADDED_BY_HAND: "H3",
    Fault.OPENED_BY_HAND: "H3",
    Fault.EXIT_CANCELLED_BY_HAND: "H2",
    Fault.EXIT_EDITED_BY_HAND: "H2",
    Fault.LEG_CANCELLED_BY_HAND: "H2",
    Fault.FOREIGN_ORDER: "H3",
    Fault.MARGIN_WITHDRAWN: "H6",
    Fault.SECOND_WRITER: "E9 H7",
    Fault.STOP_PRESSED: "H4 I4",
    Fault.START_PRESSED: "H4",
    Fault.RECOVER_PRESSED: "H4",
    Fault.TWO_COMMANDS: "H4",
    Fault.REPLACE_HALF_DONE: "A17",
    Fault.REPLACE_LATE: "A2 A15",
    Fault.FOREIGN_STOP: "H3",
    Fault.LEG_EDITED_BY_HAND: "H2",
}
"""Rows of the fault catalogue (docs/reliability.md) that each fault stands for."""

NATURAL = frozenset(
    {
        Fault.FILLED_UNSEEN,
        Fault.ID_TAKEN,
        Fault.TOO_LATE_TO_AMEND,
        Fault.DUST_LEFT,
        Fault.EVENT_BEFORE_REPLY,
    }
)
"""What follows from other faults by itself; these are counted, never switched on."""

RARE = frozenset({Fault.LIQUIDATED, Fault.DATABASE_EMPTIED, Fault.BACKUP_RESTORED, Fault.CLOCK_STEPPED})
"""Faults that end or shake a whole account: a seed has them less often, so that others get their turn."""

ON_SHARE = 0.35
RARE_SHARE = 0.12


@dataclass(frozen=True, slots=True)
class Swarm:
    """Which faults a seed has, and how hard each of them strikes (0 to 1, a factor on its own usual rate)."""

    force: dict[Fault, float]

    @classmethod
    def drawn(cls, chance: random.Random, only: frozenset[Fault] | None = None) -> "Swarm":
        """Draw a swarm. `only` leaves all other faults out; the draws stay the same, so a seed keeps its course."""
        force: dict[Fault, float] = {}
        for fault in Fault:
            share = RARE_SHARE if fault in RARE else ON_SHARE
            on, strength = chance.random() < share, 0.2 + 0.8 * chance.random()
            if on and fault not in NATURAL and (only is None or fault in only):
                force[fault] = strength
        return cls(force)

    @classmethod
    def of(cls, faults: frozenset[Fault]) -> "Swarm":
        """Exactly these, at full force."""
        return cls({fault: 1.0 for fault in faults if fault not in NATURAL})

    def strength(self, fault: Fault) -> float:
        """How hard a fault strikes; 0 when the seed does not have it."""
        return self.force.get(fault, 0.0)

    def without(self, fault: Fault) -> "Swarm":
        """The same without one fault."""
        return Swarm({kept: force for kept, force in self.force.items() if kept is not fault})


@dataclass(slots=True)
class Coverage:
    """How often each fault struck a bot in each of its states."""

    struck: Counter[tuple[str, str]] = field(default_factory=Counter)

    def note(self, fault: Fault, state: str) -> None:
        """Count one strike."""
        self.struck[fault.value, state] += 1

    def add(self, other: "Coverage") -> None:
        """Count what another seed saw."""
        self.struck.update(other.struck)

    def total(self, fault: Fault) -> int:
        """How often a fault struck, whatever the state."""
        return sum(count for (name, _), count in self.struck.items() if name == fault.value)

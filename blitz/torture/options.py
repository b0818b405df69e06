"""What a torture run is started with, and the bounds it holds the server to."""

from dataclasses import dataclass

BOTS_MAX = 50
"""The server opens at most sixty accounts an hour for one address."""
ID_REGIMES = ("never", "reusable", "unenforced")
IN_TURN = "turns"
EXCHANGES = ("bybit", "bingx")
BOTH = "both"

RESUME_SECONDS = 5.0
"""All bots run again this long after the launch of the process."""
RUNNING_SECONDS = 5.0
"""A position of a running bot has its exits again within this time (L1)."""
RESTART_SECONDS = 15.0
"""The same after a restart, counted from the launch (L1)."""
STOP_SECONDS = 15.0
"""A server that is asked to stop has ended within this time."""
REST_SECONDS = 45.0
"""Without faults and with the market held, everything has come to rest within this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TortureOptions:
    """The command line of a torture run."""

    rounds: int
    bots: int
    seed: int
    exchange: str = BOTH
    """Where the bots trade; `both` puts half of them on each, long and short."""
    ids: str = IN_TURN
    """When the exchange lets an order id be used again; `turns` goes through all three during the run."""
    json: bool = False
    """Print one object instead of a report for people."""
    keep: bool = False
    """Keep the folder with databases and logs even when all went well."""

    def exchange_of(self, index: int) -> str:
        """The exchange that bot `index` trades on."""
        return EXCHANGES[(index + index // 2) % 2] if self.exchange == BOTH else self.exchange

    def regime(self, number: int) -> str:
        """The id regime that holds in a round."""
        if self.ids != IN_TURN:
            return self.ids
        return ID_REGIMES[number * len(ID_REGIMES) // max(1, self.rounds) % len(ID_REGIMES)]

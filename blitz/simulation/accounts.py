"""One user of a seed: the account at the venue, the bot, and the way between them."""

from dataclasses import dataclass, field

from blitz.core.ladder_settings import LadderSettings
from blitz.simulation.bot import SimulatedBot
from blitz.simulation.network import Network
from blitz.simulation.venue import SimulatedVenue
from blitz.simulation.world import World


@dataclass(slots=True, kw_only=True)
class SimulatedAccount:
    """Everything that belongs to one user."""

    user_id: int
    venue: SimulatedVenue
    network: Network
    bot: SimulatedBot
    saved: list[LadderSettings] = field(default_factory=list)
    """Every version of the settings that the trader ever saved."""
    human_orders: set[str] = field(default_factory=set)
    """Orders that a person rests at the venue, with or without a tag that looks like ours."""
    cancelled_by_hand: set[str] = field(default_factory=set)
    rolled_back_ms: int = 0
    """When the database last went back in time."""
    looked_back_ms: int | None = 0
    """When the bot first saw the account after that; None while it has not."""

    def settings_saved(self, settings: LadderSettings) -> None:
        """The trader presses Save."""
        self.saved.append(settings)
        self.bot.settings = settings

    def note(self, world: World, line: str) -> None:
        """A line of the story about this user."""
        world.tell(f"user {self.user_id}: {line}")

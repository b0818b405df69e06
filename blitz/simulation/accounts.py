"""One user of a seed: the account at the venue, the bot, and the way between them."""

from dataclasses import dataclass, field

from blitz.core.ladder_settings import LadderSettings
from blitz.core.orders import OrderType, Role
from blitz.simulation.bot import SimulatedBot
from blitz.simulation.network import Network
from blitz.simulation.tags import Tag, parsed
from blitz.simulation.venue import SimulatedVenue
from blitz.simulation.venue_orders import Owner, VenueOrder
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

    def tag_of(self, order: VenueOrder) -> Tag | None:
        """What an order is for: its client id says it, or, where stops keep none, whose stop it is."""
        if order.owner is Owner.BOT and order.shown.type is OrderType.STOP_MARKET and not order.shown.client_id:
            return Tag(Role.STOP_LOSS, 0, self.user_id, "", 0)
        return parsed(order.shown.client_id)

    def note(self, world: World, line: str) -> None:
        """A line of the story about this user."""
        world.tell(f"user {self.user_id}: {line}")

"""Houses: what one exchange's rules leave different from another's; a seed draws the one that its accounts are at.

Matching, margin, fees and funding are the same everywhere. Here is only what the order protocol meets: what may be
moved in place, which orders keep an id, and what an exit finds left to close.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from blitz.core.calls import Pulled, Rejected, Reply
from blitz.core.memory import VenueTraits
from blitz.core.orders import OrderType


class HouseName(StrEnum):
    """The exchanges whose rules the simulated venue knows."""

    BYBIT = "bybit"
    BINGX = "bingx"


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The rules of one exchange."""

    name: HouseName
    id_length_max: int = 36
    folds_ids: bool = False
    """Client ids are kept in lower case, whatever was sent."""
    amends_price: bool = True
    """A resting order's price and trigger can be changed in place."""
    stops_carry_ids: bool = True
    """Stops keep their client id."""
    reserves: bool = False
    """Resting exits reserve what they close; one for more than is left is refused, never cut. Stops follow the
    position."""
    said_to_reserve: bool = False
    """Bots expect that. Nobody has verified it, so a seed may be at a house that does not."""
    takes_no_change: bool = False
    """An order that is already as asked is no refusal."""
    stops_max: int = 10
    """Orders of one market that may wait for a trigger at the same time."""
    codes: Mapping[str, str] = field(default_factory=dict)
    """Its own code for each of the other exchange's."""

    def traits(self, *, ids_enforced: bool) -> VenueTraits:
        """What its bots are told of it."""
        return VenueTraits(
            id_length_max=self.id_length_max,
            ids_enforced=ids_enforced,
            amends_price=self.amends_price,
            stops_carry_ids=self.stops_carry_ids,
            exits_reserve=self.said_to_reserve,
        )

    def kept_id(self, client_id: str, kind: OrderType) -> str:
        """What it keeps of the client id of an order."""
        if kind is OrderType.STOP_MARKET and not self.stops_carry_ids:
            return ""
        return client_id.lower() if self.folds_ids else client_id

    def in_its_words(self, reply: Reply) -> Reply:
        """A refusal with its own code."""
        if isinstance(reply, Rejected | Pulled):
            return replace(reply, code=self.codes.get(reply.code, reply.code))
        return reply


BYBIT = House(name=HouseName.BYBIT)
BINGX = House(
    name=HouseName.BINGX,
    id_length_max=40,
    folds_ids=True,
    amends_price=False,
    stops_carry_ids=False,
    reserves=True,
    said_to_reserve=True,
    takes_no_change=True,
    stops_max=200,
    codes={
        "10002": "100421",
        "10006": "100410",
        "33004": "100413",
        "110001": "109421",
        "110003": "109400",
        "110007": "101204",
        "110013": "109400",
        "110017": "101205",
        "110066": "109418",
        "110072": "101481",
        "110093": "110412",
        "110094": "110425",
    },
)
RESERVES_NOT = 0.3
"""Share of the seeds of a house that is said to reserve in which it does not."""
HOUSES: Mapping[HouseName, House] = {house.name: house for house in (BYBIT, BINGX)}


def drawn_house(chance: random.Random, name: HouseName | None = None) -> House:
    """Draw the house of a seed, or the unverified rules of the one that is named."""
    drawn = chance.choice(list(HouseName))
    house = HOUSES[name or drawn]
    return replace(house, reserves=house.reserves and chance.random() >= RESERVES_NOT)

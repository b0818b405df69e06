"""What goes in and out of the routes that help to fill in a ladder: the market's rules, generator, presets, import."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from blitz.core.generator import LIMITS
from blitz.core.ladder_settings import ExchangeName
from blitz.web.schemas import GridRowOut, Money, Number, Open, Strict, one_of


class GenerateIn(BaseModel):
    """A ladder as the field describes it; side and leverage are the stored ones when left out."""

    # Unknown fields pass the model on purpose: the core refuses them and says which ones exist.
    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": False})
    base_order: Number = Field(None, description="USDT, see `sizes`.")
    safety_order: Number = Field(None, description="Size of the first safety order, USDT.")
    safety_orders: Annotated[Any, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 49})] = Field(
        None, description="How many; the base order is not one of them."
    )
    deviation: Number = Field(None, description="Distance of the first safety order, percent of the price.")
    step_scale: Number = Field(None, description="Each distance is that of the one before, times this. 1 if left out.")
    volume_scale: Number = Field(None, description="Each order is the one before, times this. 1 if left out.")
    measured_from: one_of("base", "previous", "average") = Field(  # type: ignore[valid-type]
        None, description="From which price a deviation counts: of the base order, of the leg before, or the average."
    )
    sizes: one_of("margin", "notional") = Field(  # type: ignore[valid-type]
        None, description="Whether sizes are margin, or the value of the order with leverage."
    )
    side: one_of("long", "short") = None  # type: ignore[valid-type]
    leverage: Number = None

    def given(self) -> dict[str, Any]:
        """Only what was sent, unknown fields included."""
        return self.model_dump(exclude_unset=True)


assert GenerateIn.model_fields.keys() >= LIMITS.keys()


class GenerateOut(Open):
    """Legs for `grids`; nothing is stored."""

    grids: list[GridRowOut]
    rounds: int
    amount: Money = Field(description="Margin of all legs, USDT.")
    coverage_percent: Money = Field(description="How far the last leg lies from the entry.")


class ImportIn(Strict):
    """A paste, and how to read it; side and leverage are for what it leaves out."""

    text: str = Field(
        max_length=40_000, description="3Commas' parameters as JSON or as lines of `key: value`, or the old `grids`."
    )
    sizes: Literal["margin", "notional"] = Field("margin", description="What 3Commas' volumes are.")
    side: one_of("long", "short") = None  # type: ignore[valid-type]
    leverage: Number = None


class LeftOut(BaseModel):
    """A field that was not taken over, and why."""

    field: str
    message: str


class ImportOut(Open):
    """Settings for the form; nothing is stored."""

    kind: Literal["3commas", "blitz"]
    settings: dict[str, Any] = Field(description="Only the fields that the paste decides.")
    taken: list[str] = Field(description="What was converted, and how.")
    left: list[LeftOut]


class MarketIn(Strict):
    """Which market; the stored one when left out."""

    exchange: Literal[tuple(ExchangeName)] | None = None  # type: ignore[valid-type]
    mode: Literal["paper", "demo", "live"] | None = None
    testnet: bool | None = None
    symbol: str | None = Field(None, max_length=40)
    leverage: str | None = Field(None, max_length=40)


class MarketOut(Open):
    """A market's rules and its last price."""

    price: Money
    instrument: dict[str, str | None]
    smallest_amount: Money = Field(description="The least margin of leg 0 at this price and leverage, USDT.")


class VenueIn(Strict):
    """Which exchange; the stored one when left out."""

    exchange: Literal[tuple(ExchangeName)] | None = None  # type: ignore[valid-type]
    mode: Literal["paper", "demo", "live"] | None = None
    testnet: bool | None = None


class MarketsOut(Open):
    """Every market a bot may trade there."""

    symbols: list[str]


class PresetOut(BaseModel):
    """A ladder to begin with, sized for the market."""

    name: str
    settings: dict[str, Any] | None = Field(description="The fields it chooses; null when the market takes no such.")
    message: str = Field(description="What it covers and what it takes, or why it is not possible.")


class PresetsOut(Open):
    """Three of them."""

    presets: list[PresetOut]

"""What helps to fill in a ladder: the market's rules, the generator, presets and the import. Nothing here is stored."""

from dataclasses import replace
from typing import Any

from apiflask import APIBlueprint

from blitz.core.generator import Sizes, coverage_percent, generate, read_safety_orders
from blitz.core.importing import import_settings
from blitz.core.instrument import smallest_quantity
from blitz.core.ladder_settings import LadderSettings, parse_settings, plain
from blitz.core.orders import ZERO
from blitz.core.presets import PRESETS, Preset, fit
from blitz.core.preview import rules_json, smallest_amount
from blitz.errors import SettingsProblem
from blitz.web.accounts import this_user
from blitz.web.ladder_schemas import (
    GenerateIn,
    GenerateOut,
    ImportIn,
    ImportOut,
    MarketIn,
    MarketOut,
    MarketsOut,
    PresetsOut,
    VenueIn,
)
from blitz.web.language import said
from blitz.web.limits import PREVIEWS, at_most
from blitz.web.market_view import market_of
from blitz.web.openapi import refusals
from blitz.web.schemas import LadderIn
from blitz.web.services import services

ladder_tools = APIBlueprint("ladder_tools", __name__, url_prefix="/api/bot", tag="Settings")

FRAME = ("exchange", "mode", "testnet", "symbol", "side", "leverage", "margin_mode")
"""The fields that a preset needs to know; the ladder of the form may be wrong while one chooses."""


@ladder_tools.post("/ladder/generate")
@at_most(PREVIEWS)
@ladder_tools.input(GenerateIn)
@ladder_tools.output(GenerateOut)
@ladder_tools.doc(responses=refusals())
def generate_ladder(json_data: GenerateIn) -> dict[str, Any]:
    """Make legs of a base order, safety orders, deviation and scales. Faults are named at the generator's fields."""
    given = json_data.given()
    frame = parse_settings({name: given.pop(name) for name in ("side", "leverage") if name in given}, base=base_of())
    rows = generate(read_safety_orders(given, side=frame.side, leverage=frame.leverage))
    return {
        "success": True,
        "grids": [row.to_json() for row in rows],
        "rounds": len(rows),
        "amount": plain(sum((row.amount for row in rows), ZERO)),
        "coverage_percent": plain(coverage_percent(rows, frame.side)),
    }


@ladder_tools.post("/ladder/import")
@at_most(PREVIEWS)
@ladder_tools.input(ImportIn)
@ladder_tools.output(ImportOut)
@ladder_tools.doc(responses=refusals())
def import_ladder(json_data: ImportIn) -> dict[str, Any]:
    """Read settings pasted from elsewhere; what was converted and what was left out is said in sentences.

    Faults are named at the fields of the paste; `text` is the paste as a whole.
    """
    given = json_data.model_dump(exclude_unset=True)
    frame = parse_settings({name: given[name] for name in ("side", "leverage") if name in given}, base=base_of())
    found = import_settings(json_data.text, base=frame, sizes=Sizes(json_data.sizes))
    return {
        "success": True,
        "kind": found.kind,
        "settings": dict(found.fields),
        "taken": [said(each) for each in found.taken],
        "left": [{"field": each.field, "message": said(each.says)} for each in found.left],
    }


@ladder_tools.post("/ladder/presets")
@at_most(PREVIEWS)
@ladder_tools.input(LadderIn)
@ladder_tools.output(PresetsOut)
@ladder_tools.doc(responses=refusals(502))
def presets(json_data: LadderIn) -> dict[str, Any]:
    """Three ladders, as large as the market and the balance make them. Of the body, market and side count."""
    user = this_user()
    chosen = parse_settings({name: value for name, value in json_data.given().items() if name in FRAME}, base=base_of())
    instrument, price = market_of(chosen)
    known = services().desk.balance(user, chosen)
    balance = known.balance.equity if known.balance else None

    def fitted(preset: Preset) -> dict[str, Any]:
        try:
            found = fit(preset, chosen, instrument, price, balance)
        except SettingsProblem as problem:
            sentences = [sentence for each in problem.errors.values() for sentence in each]
            return {"name": preset.name, "settings": None, "message": " ".join(map(said, sentences))}
        message = " ".join(map(said, found.says))
        return {"name": preset.name, "settings": dict(found.fields()), "message": message}

    return {"success": True, "presets": [fitted(preset) for preset in PRESETS]}


@ladder_tools.get("/market")
@at_most(PREVIEWS)
@ladder_tools.input(MarketIn, location="query")
@ladder_tools.output(MarketOut)
@ladder_tools.doc(responses=refusals(502))
def market(query_data: MarketIn) -> dict[str, Any]:
    """What a market allows, and the least that a leg may be at its last price."""
    chosen = parse_settings(query_data.model_dump(exclude_none=True), base=base_of())
    instrument, price = market_of(chosen)
    least = smallest_amount(chosen, smallest_quantity(instrument, price), price)
    return {
        "success": True,
        "price": plain(price),
        "instrument": rules_json(instrument),
        "smallest_amount": plain(least),
    }


@ladder_tools.get("/markets")
@at_most(PREVIEWS)
@ladder_tools.input(VenueIn, location="query")
@ladder_tools.output(MarketsOut)
@ladder_tools.doc(responses=refusals(502))
def markets(query_data: VenueIn) -> dict[str, Any]:
    """Every market a bot may trade on an exchange."""
    chosen = parse_settings(query_data.model_dump(exclude_none=True), base=base_of())
    return {"success": True, "symbols": services().desk.symbols(chosen)}


def base_of() -> LadderSettings:
    """The stored settings of the signed-in user, without the exits: another leverage may not suit them."""
    return replace(this_user().settings, take_profit=ZERO, stop_loss=ZERO)

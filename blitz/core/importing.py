"""Settings pasted from elsewhere: 3Commas' parameters, or what the old server stored. Pure; nothing is stored.

Answers fields of our own settings, sentences on what was converted, and sentences on what was left out. What cannot be
read is refused at the field of the paste that it stands in; `text` means the paste as a whole.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from blitz.core.generator import Sizes
from blitz.core.import_three_commas import ALIASES, KNOWN, from_three_commas
from blitz.core.imported import NEVER, SECRETS, Imported, Left, settings_of, usdt_symbol
from blitz.core.ladder_settings import NUMBER_TEXT_MAX, ExchangeName, LadderSettings
from blitz.errors import SettingsProblem

LINES_MAX = 400
LINE = re.compile(r"""["']?([^:=\t"']++)["']?[^\S\t]*+[:=\t]\s*+(.*)""")
"""Whatever it reads it reads once: a long line that does not fit must not take long."""
OURS = ("side", "leverage", "margin_mode", "grids", "rounds", "take_profit", "stop_loss", "repeat")


def import_settings(text: str, *, base: LadderSettings, sizes: Sizes) -> Imported:
    """Read a paste. `base` has what it does not say; `sizes` what 3Commas' volumes are.

    Raises `SettingsProblem` with everything that cannot be read.
    """
    pasted = read_paste(text)
    if isinstance(pasted, list):
        return _from_old_server({"grids": pasted}, base)
    if "grids" in pasted:
        return _from_old_server(pasted, base)
    fields = {ALIASES.get(name, name): value for name, value in pasted.items()}
    if not fields.keys() & KNOWN:
        said = "holds neither 3Commas' parameters, such as base_order_volume, nor grids."
        raise SettingsProblem({"text": [said]})
    return from_three_commas(fields, base=base, sizes=sizes)


def read_paste(text: str) -> dict[str, object] | list[object]:
    """JSON, or lines of `key: value`; names in lower case with underscores. Raises `SettingsProblem` at `text`."""
    text = text.strip()
    if not text:
        raise SettingsProblem({"text": ["is empty; paste 3Commas' parameters or grids."]})
    value = _json(text) if text[0] in "[{" else _lines(text)
    if isinstance(value, dict):
        return {_name(name): each for name, each in value.items()}
    if isinstance(value, list):
        return value
    raise SettingsProblem({"text": ["should be an object or a list."]})


def _name(text: str) -> str:
    """`Max safety orders` is `max_safety_orders`, `Price deviation (%)` is `price_deviation`."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"\([^()]*\)", "", text.lower())).strip("_")


def _json(text: str) -> object:
    try:
        return json.loads(
            text, parse_float=_decimal, parse_int=_decimal, parse_constant=_no_number, object_pairs_hook=_object
        )
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        raise SettingsProblem({"text": [f"is not valid JSON: {problem.msg} at {where}."]}) from problem
    except RecursionError as problem:
        raise SettingsProblem({"text": ["is nested too deeply."]}) from problem


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise SettingsProblem({"text": [f"has {twice[:40]} twice."]})
    return found


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text) if len(text) <= NUMBER_TEXT_MAX else None
    except InvalidOperation:
        number = None
    return _no_number(text) if number is None else number


def _no_number(text: str) -> NoReturn:
    raise SettingsProblem({"text": [f"holds {text[:NUMBER_TEXT_MAX]}, which is not a number that can be used."]})


def _lines(text: str) -> dict[str, object]:
    lines = text.splitlines()
    if len(lines) > LINES_MAX:
        raise SettingsProblem({"text": [f"has {len(lines)} lines; {LINES_MAX} are the most."]})
    found: dict[str, object] = {}
    for number, line in enumerate(lines, start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = LINE.fullmatch(line)
        if match is None:
            raise SettingsProblem({"text": [f"Line {number} is not of the form name: value."]})
        value = match[2].strip()
        found[match[1]] = value if value[:1] in ("[", "{") else value.rstrip(",").strip().strip("\"'")
    return found


def _from_old_server(pasted: Mapping[str, object], base: LadderSettings) -> Imported:
    """Our own settings' names. Exits are percents of the margin (ROE) there too."""
    fields = {name: value for name, value in pasted.items() if name in OURS}
    grids = fields["grids"]
    if isinstance(grids, str):
        fields["grids"] = _json(grids) if grids.strip() else []
    if isinstance(fields["grids"], Sequence):
        fields["grids"] = [_row(each) for each in fields["grids"]]
    left = []
    if "symbol" in pasted:
        fields["symbol"] = usdt_symbol("symbol", pasted["symbol"])
    exchange = str(pasted.get("exchange", "")).strip().lower()
    if exchange in set(ExchangeName):
        fields["exchange"] = exchange
    elif exchange:
        left.append(Left("exchange", "This exchange is not one that a bot can trade on here."))
    for name in pasted.keys() - fields.keys() - {"exchange"}:
        if name in SECRETS:
            words = NEVER
        elif name == "mode":
            words = "Whose money it is stays as it is; choose it yourself."
        else:
            words = "This is not a setting here."
        left.append(Left(name, words))
    taken = []
    if {"take_profit", "stop_loss"} & fields.keys():
        taken.append("Take-profit and stop-loss are percents of the margin (ROE) there too: they stay as written.")
    settings = settings_of(fields, base)
    return Imported(
        kind="blitz", fields=settings, taken=tuple(taken), left=tuple(sorted(left, key=lambda one: one.field))
    )


def _row(row: object) -> object:
    """A row with the two things it has; others were never read by the old server either."""
    return {name: row[name] for name in ("amount", "gap") if name in row} if isinstance(row, Mapping) else row

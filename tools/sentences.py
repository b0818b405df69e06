"""Finds every sentence below the templates that can reach a person, by walking the syntax tree.

What counts as a sentence: a text in a module of `ROOTS` with two words or more beside each other, wherever it stands,
unless it is a docstring, part of a log line, an assertion or a fault for programmers (`FAULTS`), or is listed below
with the reason why nobody reads it. An f-string becomes a template: each value a {name} made from its expression.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOTS = ("blitz/core", "blitz/bots", "blitz/exchange", "blitz/storage", "blitz/web", "blitz/errors.py")

LEFT_OUT = {
    "blitz/core/calls.py": "faults of ours, for the log",
    "blitz/bots/incidents.py": "lines of the log",
    "blitz/bots/unshown.py": "keys of a dictionary",
    "blitz/exchange/experimental": "no trader can choose these exchanges",
    "blitz/exchange/budget/limits.py": "names of requests",
    "blitz/exchange/carrier.py": "faults of the wire; a trader is told that the exchange does not answer",
    "blitz/exchange/door.py": "names of requests, for the log",
    "blitz/exchange/passage.py": "names of requests",
    "blitz/storage/migrations": "only at the start, on the console",
    "blitz/storage/money.py": "faults of ours, for the log",
    "blitz/storage/sqlite_engines.py": "SQL",
    "blitz/storage/sqlite_file.py": "only at the start and in the doctor, on the console",
    "blitz/web/diagnostics.py": "figures for operators and their tools",
    "blitz/web/limits.py": "limits in the limiter's own language",
    "blitz/web/openapi.py": "the API's document, which is English",
    "blitz/web/ladder_schemas.py": "the API's document, which is English",
    "blitz/web/schemas.py": "the API's document, which is English",
}

FAULTS = frozenset({"AssertionError", "LookupError", "RuntimeError", "TypeError"})
"""Raised for whoever wrote the code; the one who asked reads a reference to the log instead."""

PARTS = {
    "the reading rules are fixed": "an assertion",
    "(?:": "a regular expression",
    "BEGIN IMMEDIATE": "SQL",
    "default-src ": "a header",
    "script-src ": "a header",
    "style-src ": "a header",
    "img-src ": "a header",
    "connect-src ": "a header",
    "font-src ": "a header",
    "form-action ": "a header",
    "object-src ": "a header",
    "base-uri ": "a header",
    "frame-ancestors ": "a header",
    "camera=()": "a header",
    "Bearer error=": "a header",
    "Value error,": "taken off what pydantic says",
    "Mac OS X": "looked for in a browser's name of itself",
    "Samsung Internet": "a name",
    "Yandex Browser": "a name",
    "attachment; ": "a header",
    "text/csv": "a header",
    "blitz secrets at rest": "a label of a key",
    "blitz cookies": "a label of a key",
    "blitz master key": "a label of a key",
    "a password that nobody has": "hashed, never shown",
    "BLITZ_": "of the server's own set-up, on the console",
    "The key file ": "of the server's own set-up, on the console",
    "Other users of this machine ": "of the server's own set-up, on the console",
    "No driver is installed": "of the server's own set-up, on the console",
    "A SQLite database must ": "of the server's own set-up, on the console",
    "cycle {row} of user ": "names a row for the log",
    "There is no user {user_id}": "on the console",
    "The stored settings of user ": "for the log",
    "The settings stored with ": "for the log",
    "a thread that is writing ": "a fault of ours",
    "generation {generation} ": "a fault of ours",
    "a turn that is ": "a fault of ours",
    "a new order was answered": "a fault of ours",
    "a replacement was answered": "a fault of ours",
    "ReadClock was answered": "a fault of ours",
    "the hub was not started": "a fault of ours",
    "No pass was run": "stands only until the first pass has run",
    "nothing is told without streams": "a fault of ours",
    "WSListener | None": "a type",
    "Force Start": "a line of the log",
    "Force Stop": "a line of the log",
    "an event with a time of no use": "a frame that is dropped and counted",
    "an order event without an order": "a frame that is dropped and counted",
    "a frame that ": "a frame that is dropped and counted",
    "{topic} with": "a frame that is dropped and counted",
    "a refusal of one market's prices": "a line of the log",
    "a stop has a trigger": "a fault of ours",
    "Bybit's private stream": "a name in the log",
    "Bybit's price stream": "a name in the log",
    "BingX's private stream": "a name in the log",
    "BingX's price stream": "a name in the log",
    "not exist": "looked for in an exchange's answer",
    "not found": "looked for in an exchange's answer",
    "already filled": "looked for in an exchange's answer",
    "already cancel": "looked for in an exchange's answer",
    "been filled": "looked for in an exchange's answer",
    "been cancel": "looked for in an exchange's answer",
    "not modified": "looked for in an exchange's answer",
    "no change": "looked for in an exchange's answer",
    "position idx": "looked for in an exchange's answer",
    "position mode": "looked for in an exchange's answer",
    "position side": "looked for in an exchange's answer",
    "position or": "looked for in an exchange's answer",
    "not sent": "a code word",
    "price step": "spoken as a whole, see WORDS",
    "quantity step": "spoken as a whole, see WORDS",
    "smallest quantity": "spoken as a whole, see WORDS",
    "largest quantity": "spoken as a whole, see WORDS",
    "smallest value": "spoken as a whole, see WORDS",
    "highest leverage": "spoken as a whole, see WORDS",
    "event: ": "a frame of the stream",
    "retry: ": "a frame of the stream",
    ": still here": "a frame of the stream",
}
"""Texts, by how they begin, that nobody reads; each with its reason."""

WORDS = (
    "long", "short", "buy", "sell", "cross", "isolated", "hedge", "one-way",
    "take-profit", "stop-loss", "Take-profit", "Stop-loss", "market", "received", "paid",
    "exchange", "database", "orders", "1 order", "nothing", "liquidated", "UNPROTECTED",
    "synthetic", "external", "manual", "checked_positions", "no_missing_orders", "created_tp", "created_sl",
    "created_leg_{index}", "leg_{index}", "price step {before} → {after}", "quantity step {before} → {after}",
    "smallest quantity {before} → {after}", "largest quantity {before} → {after}", "smallest value {before} → {after}",
    "highest leverage {before} → {after}", "paper", "demo", "testnet",
    "trader", "admin", "Saved.",
    "{exchange} (paper)", "{exchange} (demo)", "{exchange} (testnet)", "{exchange} (live)",
)  # fmt: skip
"""Single words that stand as a value in a sentence."""

LIBRARIES = (
    "Input should be {expected}.",
    "Input should be a valid string.",
    "Input should be a valid integer.",
    "Input should be a valid integer, unable to parse string as an integer.",
    "Input should be a valid boolean, unable to interpret input.",
    "Input should be a valid list.",
    "List should have at least {count} item after validation, not {given}.",
    "List should have at most {count} items after validation, not {given}.",
    "Input should be greater than or equal to {least}.",
    "Input should be less than or equal to {most}.",
    "String should have at most {count} characters.",
    "String should have at least {count} character.",
    "String should have at least {count} characters.",
    "Field required.",
    "Extra inputs are not permitted.",
    "An email address must have an @-sign.",
    "There must be something before the @-sign.",
    "There must be something after the @-sign.",
    "The part after the @-sign is not valid. It should have a period.",
    "An email address cannot have a period immediately after the @-sign.",
    "An email address cannot have a period immediately before the @-sign.",
    "An email address cannot have two periods in a row.",
    "An email address cannot end with a period.",
    "An email address cannot start with a period.",
    "The part before the @-sign contains invalid characters: {characters}.",
    "The part after the @-sign contains invalid characters: {characters}.",
    "The email address contains invalid characters before the @-sign: {characters}.",
    "Expecting value",
    "Expecting property name enclosed in double quotes",
    "Expecting ',' delimiter",
    "Expecting ':' delimiter",
    "Extra data",
    "Unterminated string starting at",
    "Invalid control character at",
    "The part after the @-sign is a special-use or reserved name that cannot be used with email.",
)
"""Sentences of pydantic, email-validator and Python's reader of JSON that our answers pass on."""

TWO_WORDS = re.compile(r"[A-Za-z][A-Za-z'’]+[,;:.]? \{?[A-Za-z]{2}|\b[Aa] \{?[a-z]{2}|\} [a-z]{2,}|[a-z]{3,} \{")
LETTERS = re.compile(r"[A-Za-z]{2,}")
PLACE = re.compile(r"\{[a-z]\w*\}")


def server_sentences(root: Path) -> dict[str, set[str]]:
    """Every sentence of the modules below `root`, with the files that say it."""
    found: dict[str, set[str]] = {text: {"tools/sentences.py"} for text in (*WORDS, *LIBRARIES)}
    for module in modules(root):
        for text in sentences_of(module.read_text("utf-8")):
            found.setdefault(text, set()).add(module.relative_to(root).as_posix())
    return found


def modules(root: Path) -> list[Path]:
    """The modules whose sentences people read."""
    files = {path for name in ROOTS for path in (root / name, *(root / name).rglob("*.py")) if path.suffix == ".py"}
    return sorted(path for path in files if not _is_left_out(path.relative_to(root).as_posix()))


def _is_left_out(name: str) -> bool:
    return any(name == part or name.startswith(f"{part}/") for part in LEFT_OUT)


def sentences_of(source: str) -> list[str]:
    """The sentences of one module, in their order."""
    return [text for text in _texts(ast.parse(source)) if is_sentence(text)]


def is_sentence(text: str) -> bool:
    """Whether a text is for people: words beside each other, and not one of `PARTS`."""
    said = PLACE.sub("", text)
    return bool(TWO_WORDS.search(text) and LETTERS.search(said)) and not text.startswith(tuple(PARTS))


def _texts(node: ast.AST) -> Iterator[str]:
    """The texts below a node. Parts of f-strings belong to their template."""
    if _is_for_nobody(node):
        return
    if isinstance(node, ast.JoinedStr):
        yield _template(node).strip()
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                yield from _texts(value.value)
        return
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value.strip()
        return
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


def _is_for_nobody(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()):  # a docstring, or the comment of an attribute
            return True
        case ast.Assert():
            return True
        case ast.Raise(exc=ast.Call(func=ast.Name(id=name))):
            return name in FAULTS
        case ast.Call(func=ast.Attribute(value=ast.Name(id="log"))):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="re"))):
            return True
        case ast.Call(func=ast.Name(id="Field")):  # what the API's document says of it, which is English
            return True
        case ast.Call(func=ast.Name(id="gettext" | "_" | "lazy_gettext" | "ngettext")):  # found by Babel
            return True
    return False


def _template(node: ast.JoinedStr) -> str:
    names: dict[str, int] = {}
    parts = []
    for value in node.values:
        if isinstance(value, ast.Constant):
            parts.append(str(value.value))
        elif isinstance(value, ast.FormattedValue):
            name = _name(value.value)
            names[name] = names.get(name, 0) + 1
            parts.append(f"{{{name}}}" if names[name] == 1 else f"{{{name}_{names[name]}}}")
    return "".join(parts)


def _name(value: ast.AST) -> str:
    """A short name for what stands there: `plain(order.price)` is a price."""
    match value:
        case ast.Name(id=name):
            return name.strip("_").lower()
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name.strip("_").lower()
        case ast.Attribute(value=inner, attr="value" | "label" | "name"):
            return _name(inner)
        case ast.Attribute(attr=name):
            return name.strip("_").lower()
        case ast.Call(func=ast.Attribute(value=inner, attr="rstrip" | "strip" | "upper" | "get" | "removeprefix")):
            return _name(inner)
        case ast.Call(func=ast.Attribute(), args=[first, *_]) | ast.Call(func=ast.Name(), args=[first, *_]):
            return _name(first)
        case ast.Subscript(value=inner):
            return _name(inner)
    return "value"

"""Decides what an answer of a venue is worth: the thing asked for, a definite refusal, or unknown.

Decisions are made by the venue's code and never by ccxt's exception class: 10002 of Bybit is a `NetworkError` there, a
duplicate id an `InvalidOrder`. An answer that is not a complete envelope is unknown, because an empty 200 looks like
"no orders".
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import ccxt

from blitz.core.calls import Refusal, Rejected, Unknown
from blitz.core.key_check import KeyFault

T = TypeVar("T")
MESSAGE_MAX = 200


class Malformed(Exception):
    """The answer is not what this request is answered with; the caller turns it into `Unknown`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """How one venue wraps its answers, and what its codes mean."""

    code: str
    """The field of the code; 0 is success."""
    message: str
    """The field of the venue's words."""
    payload: str
    """The field of the thing asked for."""
    meaning: Callable[[int, str], Refusal | None]
    """What a code with these words means for a bot; None when the venue may have acted all the same."""
    key_faults: Mapping[str, KeyFault] = field(default_factory=dict)
    """Which code says what is wrong with a key."""

    def opened(self, answer: object) -> Any:
        """The payload of a complete, successful answer. Raises `Malformed` for anything else."""
        return self.checked(answer).get(self.payload)

    def checked(self, answer: object) -> Mapping[str, Any]:
        """A complete, successful answer as it is. Raises `Malformed` for anything else."""
        if not isinstance(answer, Mapping) or self.code not in answer:
            raise Malformed("The exchange's answer is empty or not an answer of its API.")
        if str(answer[self.code]) != "0":
            raise Malformed(f"The exchange answered {answer[self.code]} without saying it as an error.")
        return answer

    def asked(self, request: Callable[[], T]) -> T | Rejected | Unknown:
        """Run a request that changes nothing or whose effect the venue would tell of; classify what goes wrong."""
        try:
            return request()
        except Malformed as problem:
            return Unknown(reason=str(problem))
        except UnicodeDecodeError:  # ccxt hands through what is not even text
            return Unknown(reason="The exchange's answer is not text.")
        except ccxt.BaseError as problem:
            return self.classified(problem)

    def classified(self, problem: ccxt.BaseError) -> Rejected | Unknown:
        """A definite refusal when the venue's own code says so, else unknown."""
        text = str(problem)
        said = self._said_in(text)
        if said is None:
            if isinstance(problem, ccxt.NetworkError):  # its text is an address: nothing a trader could use
                return Unknown(reason=f"The exchange does not answer ({type(problem).__name__}).")
            return Unknown(reason=shortened(f"{type(problem).__name__}: {text}"))
        code, message = said
        # An error around a success: ccxt stumbled, the venue may have acted.
        refusal = self.meaning(code, message) if code != 0 else None
        if refusal is None:
            return Unknown(reason=f"{code}: {message}")
        return Rejected(refusal=refusal, code=str(code), message=message)

    def _said_in(self, text: str) -> tuple[int, str] | None:
        body = body_in(text)
        code = body.get(self.code)
        if isinstance(code, bool) or not isinstance(code, int | str):
            return None
        try:
            return int(code), shortened(str(body.get(self.message, "")))
        except ValueError:
            return None


def body_in(text: str) -> Mapping[str, Any]:
    """The JSON body that ccxt puts behind its exchange id in the message of an error; empty when there is none."""
    start = text.find("{")
    if start < 0:
        return {}
    try:
        body, _ = json.JSONDecoder().raw_decode(text[start:])
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def misfit(problem: Exception) -> Rejected:
    """The request could not be built by the market's rules as they are known here: it never left this machine."""
    return Rejected(refusal=Refusal.FILTER, code="not sent", message=shortened(str(problem)))


def shortened(text: str) -> str:
    """One line, at most `MESSAGE_MAX` long."""
    cleaned = " ".join(text.split())
    return cleaned if len(cleaned) <= MESSAGE_MAX else cleaned[:MESSAGE_MAX] + "…"

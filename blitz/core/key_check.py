"""What a look at a stored key at its exchange found, in words for its owner. Pure.

The facts are read by `exchange`; `bots.key_check` puts them together. What could not be asked is never taken for a no.
"""

from dataclasses import dataclass
from enum import StrEnum

from blitz.core.calls import Refusal, Rejected, Unknown
from blitz.core.going_live import AccountBalance, Finding, KeyRights, about_key, against_key


class KeyFault(StrEnum):
    """Why an exchange does not take a key."""

    UNKNOWN_KEY = "unknown_key"
    WRONG_SECRET = "wrong_secret"  # noqa: S105 - a word
    EXPIRED = "expired"
    ADDRESS = "address"
    """Asked from an address that is not on the key's list."""
    RIGHTS = "rights"


class Verdict(StrEnum):
    """What became of the look."""

    WORKS = "works"
    NOT_NEEDED = "not_needed"
    """Paper, and no key is stored."""
    DANGEROUS = "dangerous"
    """It works, and it can move money away, or nobody knows whether it can."""
    CANNOT_TRADE = "cannot_trade"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """The exchange could not be asked now: neither a yes nor a no."""


WORKS = "The exchange knows this key, and it may trade contracts."
WORKS_ON_PAPER = (
    "It names your account on the built-in paper exchange. No real exchange was asked: choose "
    "demo or live under Settings to use one."
)
NOT_NEEDED = "Paper needs no keys: the bot trades on an account that this server makes for you."
UNASKED = (
    "The exchange could not be asked now. The key is stored, and nobody knows yet whether it works; test it again."
)
FAULTS = {
    KeyFault.UNKNOWN_KEY: (
        "The exchange does not know this key. Copy it again, and see that it belongs to the exchange and mode of your "
        "settings: live, demo and testnet each have keys of their own. A key that was deleted or has expired may be "
        "unknown too."
    ),
    KeyFault.WRONG_SECRET: "The secret does not belong to this key. Copy both again.",
    KeyFault.EXPIRED: "This key has expired. Make a new one at the exchange, and enter it here.",
    KeyFault.ADDRESS: (
        "The exchange does not take this key from the address of this server. Add the server's address to the key at "
        "the exchange."
    ),
    KeyFault.RIGHTS: (
        "This key lacks rights that the bot needs. Give it orders and positions of contracts at the exchange."
    ),
}
REFUSED = "The exchange refuses this key. Make a new one there, and enter it here."
PASSING = frozenset({Refusal.CLOCK, Refusal.LIMIT, Refusal.OTHER})
"""Refusals that say nothing about the key: asked again, the answer may be another."""
RIGHTS_TO_TRADE = frozenset({"key_read_only", "key_cannot_trade"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCheck:
    """What was found. `message` is a whole sentence."""

    verdict: Verdict
    message: str
    words: str = ""
    """What the exchange said, or why it could not be asked; empty when there is nothing to add."""
    findings: tuple[Finding, ...] = ()
    """What the owner has to know of the key beside the message."""
    rights: KeyRights | None = None
    balance: AccountBalance | None = None


def of_answers(rights: KeyRights, balance: AccountBalance) -> KeyCheck:
    """A key that the exchange told everything of."""
    against = against_key(rights)
    beside = (*against[1:], *about_key(rights))
    if not against:
        return KeyCheck(verdict=Verdict.WORKS, message=WORKS, findings=beside, rights=rights, balance=balance)
    only_trade = all(each.code in RIGHTS_TO_TRADE for each in against)
    return KeyCheck(
        verdict=Verdict.CANNOT_TRADE if only_trade else Verdict.DANGEROUS,
        message=against[0].message,
        findings=beside,
        rights=rights,
        balance=balance,
    )


def of_refusal(answer: Rejected | Unknown, fault: KeyFault | None, rights: KeyRights | None = None) -> KeyCheck:
    """A key that the exchange refuses, or did not speak of. What it may do stays said when that was told before."""
    findings = () if rights is None else (*against_key(rights), *about_key(rights))
    if isinstance(answer, Unknown):
        return KeyCheck(verdict=Verdict.UNKNOWN, message=UNASKED, words=answer.reason, findings=findings, rights=rights)
    words = f"{answer.code}: {answer.message}"
    if answer.refusal in PASSING:
        return KeyCheck(verdict=Verdict.UNKNOWN, message=UNASKED, words=words, findings=findings, rights=rights)
    said = REFUSED if fault is None else FAULTS[fault]
    return KeyCheck(verdict=Verdict.REFUSED, message=said, words=words, findings=findings, rights=rights)

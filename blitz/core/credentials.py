"""One account's key at an exchange: stored sealed by `storage`, used to sign by `exchange`, handed on by `bots`."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What signs requests to an exchange. Never printed: its text shows neither value."""

    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)

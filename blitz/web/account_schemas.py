"""What goes in and out of the account's routes, as pydantic models: they check input and write the OpenAPI document."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from blitz.web.schemas import FindingOut, SecretText, Strict, Text, one_of


class PasswordIn(Strict):
    """The password of the one who is signed in, and the new one twice."""

    current_password: SecretText = ""
    new_password: SecretText = ""
    repeat_password: SecretText = ""


class TokenIn(Strict):
    """A token's name and what it may do."""

    name: Text = ""
    scope: one_of("read", "control") = ""  # type: ignore[valid-type]


class PreferencesIn(Strict):
    """How pages speak to this person. What is left out stays; an empty text follows the browser."""

    language: one_of("", "en", "ko") = None  # type: ignore[valid-type]
    theme: one_of("", "light", "dark") = None  # type: ignore[valid-type]
    time_zone: Text = None

    def given(self) -> dict[str, Any]:
        """Only what was sent."""
        return self.model_dump(exclude_unset=True)


class SaidOut(BaseModel):
    """What became of a request, in a sentence."""

    success: Literal[True] = True
    status: str = Field(examples=["changed"])
    message: str


class KeyCheckOut(SaidOut):
    """What the exchange of the settings said of the stored key. `status` is the verdict."""

    status: Literal["works", "not_needed", "dangerous", "cannot_trade", "refused", "unknown"] = Field(
        description="`dangerous`: it can move money away. `unknown`: the exchange could not be asked, which is no no."
    )
    words: str = Field(description="What the exchange said, or why it could not be asked; may be empty.")
    exchange: str
    mode: str
    testnet: bool
    key: str = Field(description="`***XXXX` or empty.")
    findings: list[FindingOut] = Field(description="What the owner has to know of the key beside the message.")
    rights: dict[str, Any] | None = Field(description="What the key may do; null when the exchange did not say.")
    balance: dict[str, str] | None = Field(description="`equity` and `available`, USDT.")


class SignInOut(BaseModel):
    """One sign-in that still holds."""

    id: int
    since: str = Field(description="UTC.", examples=["2026-01-01T12:00:00"])
    last_seen: str = Field(description="UTC; may lag by a minute.")
    address: str = Field(description="Where it was opened from.")
    browser: str = Field(description="What the browser calls itself; empty when that says nothing.")
    system: str
    this_one: bool = Field(description="The one this request came with.")


class SignInsOut(BaseModel):
    """The user's sign-ins, the one used last first."""

    rows: list[SignInOut]


class TokenOut(BaseModel):
    """One API token; what it is cannot be read again."""

    id: int
    name: str
    scope: Literal["read", "control"]
    hint: str = Field(description="Its last four characters.")
    created: str = Field(description="UTC.")
    last_used: str | None = Field(description="UTC; may lag by a minute. Null before its first use.")


class TokensOut(BaseModel):
    """The user's API tokens, the newest first."""

    rows: list[TokenOut]


class NewTokenOut(SaidOut):
    """A token that was just made. `token` is shown this once."""

    token: str = Field(examples=["blitz_…"])
    row: TokenOut


class PreferencesOut(BaseModel):
    """What was chosen; an empty text follows the browser."""

    success: Literal[True] = True
    language: str
    theme: str
    time_zone: str

"""What goes in and out of the JSON API, as pydantic models: they check input and write the OpenAPI document.

Numbers of the ladder are read by `core.ladder_settings`, which names every fault at its field; the models here only
describe them. Money comes out as strings, so that no reader's float can bend it.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from blitz.core.ladder_settings import ExchangeName

NUMBER_PATTERN = r"^\s*[+-]?(\d{1,20}(\.\d{0,18})?|\.\d{1,18})\s*%?\s*$"
PLAIN_PATTERN = r"^-?\d+(\.\d+)?$"
ID_MAX = 2**53

NUMBER_FORMS = {"anyOf": [{"type": "string", "pattern": NUMBER_PATTERN, "maxLength": 40}, {"type": "number"}]}

Number = Annotated[
    Any,
    WithJsonSchema({**NUMBER_FORMS, "examples": ["0.5", "0.5%", 0.5]}),
]
Money = Annotated[str, Field(pattern=PLAIN_PATTERN)]
WholeNumber = Annotated[Any, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 50})]
Text = Annotated[Any, WithJsonSchema({"type": "string"})]
Flag = Annotated[Any, WithJsonSchema({"type": "boolean"})]
SecretText = Annotated[Any, WithJsonSchema({"type": "string", "maxLength": 300, "writeOnly": True})]


def one_of(*choices: str) -> Any:
    """A text field whose fault is named by the core, but whose choices the document lists."""
    return Annotated[Any, WithJsonSchema({"type": "string", "enum": list(choices)})]


class Strict(BaseModel):
    """A body or query whose unknown fields are refused: a misspelt option must not do something else."""

    model_config = ConfigDict(extra="forbid")


class Open(BaseModel):
    """An answer that may carry more than the document lists."""

    model_config = ConfigDict(extra="allow")


class ErrorOut(BaseModel):
    """The one shape of every refusal."""

    success: Literal[False] = False
    status: str = Field(description="A word for programs.", examples=["already_running"])
    message: str = Field(description="A sentence for people.", examples=["Your bot is already running."])
    errors: dict[str, list[str]] | None = Field(None, description="Faults by field.")


class NothingIn(Strict):
    """No body is needed; an empty object is accepted."""


class StopIn(Strict):
    """How to stop. Without a body: now, pulling resting entry legs, keeping the position and its protection."""

    legs: Literal["pull", "keep"] = Field("pull", description="What happens to resting entry legs.")
    when: Literal["now", "after_cycle"] = Field("now", description="`after_cycle` finishes the running cycle first.")
    position: Literal["keep", "close"] = Field("keep", description="`close` closes the position at market.")


class GiveUpIn(Strict):
    """Which cycle to give up."""

    cycle: int | None = Field(
        None, ge=1, le=ID_MAX, description="Its number; refused unless this one is open. Left out: the open one."
    )


class DryRunIn(Strict):
    """Whether to act or only to list."""

    dry_run: bool = Field(False, description="List what would be created, create nothing.")


class CommandOut(Open):
    """What became of a command."""

    success: bool
    status: str = Field(examples=["started"])
    message: str = Field(examples=["Bot started successfully"])


class RecoverOut(Open):
    """What a recovery found and did."""

    success: bool
    message: str = Field(examples=["Recovery process completed"])
    actions: list[str] = Field(examples=[["checked_positions", "created_tp"]])


class IncidentOut(BaseModel):
    """A position that has been without certain protection for longer than five seconds."""

    since: str = Field(description="UTC.", examples=["2026-01-01T12:00:00"])
    seconds: int
    cause: str


class ProtectedOut(Open):
    """Whether the open position is covered by every exit that the settings ask for."""

    yes: bool
    since: str | None = Field(
        description="UTC. Protected: since when. Otherwise: since when nobody can say that it is."
    )
    why: str
    state: Literal["unseen", "no_position", "protected", "unprotected", "unknown"]
    cause: str | None = Field(description="A word for programs; null when protected or without a position.")
    remedy: str | None = Field(None, description="What to do about it, in a sentence; null where nothing is.")
    incident: IncidentOut | None


class UnfinishedOut(BaseModel):
    """An open cycle on another account than the settings name, or one whose key is lost."""

    cycle: int
    exchange: str
    mode: str
    symbol: str
    key_lost: bool = Field(description="No key is stored for it, or the stored one cannot be read or was refused.")
    message: str = Field(description="What follows from that, in a sentence.")
    can_give_up: bool = Field(description="`POST /api/bot/give_up` is possible: no bot runs.")
    warning: str = Field(description="What giving it up means, and what has to be done by hand then.")


class StatusOut(Open):
    """The four documented fields; a bot that runs adds cycle, position, orders, protection and profit."""

    running: bool
    status: str = Field(examples=["running"])
    uptime: int = Field(description="Seconds.", examples=[1234])
    message: str = Field(examples=["Bot is running"])
    protected: ProtectedOut | None = None
    unfinished: UnfinishedOut | None = None


class UserBotOut(BaseModel):
    """One user's bot in the overview."""

    running: bool
    status: str
    uptime: int


class TotalsOut(BaseModel):
    """The overview in figures."""

    total_managed: int
    total_running: int
    timestamp: str = Field(examples=["2025-01-01T12:00:00"])


class AdminStatusOut(BaseModel):
    """Every managed bot, by user id."""

    users: dict[str, UserBotOut]
    totals: TotalsOut


class LadderIn(BaseModel):
    """Ladder settings; a field that is left out keeps its stored value."""

    # Unknown fields pass the model on purpose: the core refuses them and says which ones exist.
    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": False, "minProperties": 0})
    exchange: one_of(*ExchangeName) = None  # type: ignore[valid-type]
    symbol: Text = None
    side: one_of("long", "short") = None  # type: ignore[valid-type]
    leverage: Number = None
    margin_mode: one_of("cross", "isolated") = None  # type: ignore[valid-type]
    grids: Annotated[
        Any,
        WithJsonSchema({
            "type": "array", "minItems": 1, "maxItems": 50,
            "items": {
                "type": "object", "required": ["amount"], "additionalProperties": False,
                "properties": {
                    "amount": NUMBER_FORMS, "gap": NUMBER_FORMS,
                },
            },
        }),
    ] = None  # fmt: skip
    rounds: WholeNumber = None
    take_profit: Number = None
    stop_loss: Number = None
    repeat: Flag = None
    mode: one_of("paper", "demo", "live") = None  # type: ignore[valid-type]
    testnet: Flag = None

    def given(self) -> dict[str, Any]:
        """Only what was sent, unknown fields included."""
        return self.model_dump(exclude_unset=True)


class SettingsIn(LadderIn):
    """Ladder settings and credentials. Credentials are write-only: left out they stay, an empty text clears them."""

    api_key: SecretText = None
    api_secret: SecretText = None
    telegram_token: SecretText = None
    telegram_chat_id: SecretText = None


class LiveIn(Strict):
    """The password of the one who is signed in, and the word `live`."""

    password: str = Field(max_length=4096, json_schema_extra={"writeOnly": True})
    confirm: str = Field(description="The word `live`.", max_length=20, examples=["live"])


class FindingOut(BaseModel):
    """Something that stands against going live, or that the trader has to know."""

    code: str = Field(examples=["key_can_withdraw"])
    message: str


class LiveOut(Open):
    """What was found at the exchange, and where the trader stands."""

    success: bool
    status: Literal["live", "ready", "refused"]
    message: str
    armed: bool = Field(description="The bot may trade real money.")
    live_since: str | None = Field(description="UTC.", examples=["2026-01-01T12:00:00"])
    exchange: str
    mode: str
    key: str = Field(description="`***XXXX` or empty.")
    rights: dict[str, Any] | None = Field(description="What the key may do; null when the exchange did not say.")
    refusals: list[FindingOut] = Field(description="With any of these going live is not possible.")
    warnings: list[FindingOut]
    balance: dict[str, str] | None = Field(description="`equity` and `available`, USDT.")
    worst_loss: str | None = Field(description="USDT.")
    worst_case: str | None
    plan: dict[str, Any] | None = Field(description="As the preview answers it.")


class GridRowOut(BaseModel):
    """One stored leg."""

    amount: Money
    gap: Money


class SettingsOut(Open):
    """Everything stored, secrets as a mask or a flag, numbers as strings."""

    exchange: str
    symbol: str
    side: str
    leverage: Money
    margin_mode: str
    grids: list[GridRowOut]
    rounds: int
    take_profit: Money
    stop_loss: Money
    repeat: bool
    mode: str
    testnet: bool = Field(description="In demo: the exchange's testnet instead of its demo account.")
    api_key: str = Field(description="`***XXXX` or empty.", examples=["***WXYZ"])
    keys_stored: bool = Field(description="Both the API key and its secret are stored.")
    telegram_stored: bool = Field(description="Both the Telegram token and the chat are stored.")
    armed: bool = Field(description="The bot may trade real money, see `/api/bot/live`.")
    live_since: str | None = Field(description="UTC, null unless armed.")
    strip: dict[str, str] = Field(description="What the strip on every page says: `mode` and `words`.")
    takes_effect: Literal["now", "next_cycle"] = Field(description="When a change made now will count.")


class PreviewOut(Open):
    """The plan as the bot would carry it out at the last price."""


class DebugOut(BaseModel):
    """Where the database is."""

    cwd: str
    instance_path: str
    db_uri: str
    db_path: str
    db_exists: bool
    timestamp: str


class HealthOut(Open):
    """Whether the server is up."""

    status: str

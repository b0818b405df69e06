"""What goes in and out of the administrators' routes, as pydantic models."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from blitz.web.schemas import ID_MAX, Money, Open, Strict

USER_ID_MAX = 2**31 - 1
PAGE_ROWS = 50
LIVE_ROWS_MAX = 100
COMMAND_USERS_MAX = 200
SELECTION_MAX = 8_000
EMAIL_MAX = 254
PASSWORD_MAX = 1024

UserId = Annotated[int, Field(ge=1, le=USER_ID_MAX)]
StatusGroup = Literal["", "running", "stopped", "attention", "error", "unprotected"]


def _split(value: Any) -> Any:
    return [part for part in value.split(",") if part] if isinstance(value, str) else value


IdList = Annotated[list[UserId], BeforeValidator(_split)]


class PeopleFilterIn(Strict):
    """Whom to list. Everything given must hold."""

    q: str = Field("", max_length=100, description="A part of the address, or the number.")
    status: StatusGroup = Field(
        "", description="`attention`: the bot waits for a person. `unprotected`: not by the trader's choice."
    )
    mode: Literal["", "paper", "demo", "live"] = ""
    exchange: Literal["", "bybit", "bingx"] = ""
    role: Literal["", "trader", "admin"] = ""
    access: Literal["", "active", "disabled"] = ""


class PeoplePageIn(PeopleFilterIn):
    """Which page of them, in which order."""

    sort: Literal["id", "email", "status", "uptime", "market", "mode", "cycle", "protection", "profit"] = "id"
    order: Literal["asc", "desc"] = "asc"
    page: int = Field(1, ge=1, le=100_000)


class LiveRowsIn(Strict):
    """The rows that somebody looks at."""

    ids: IdList = Field(
        default_factory=list,
        max_length=LIVE_ROWS_MAX,
        description="User numbers with commas between them, 100 at most.",
        json_schema_extra={"type": "string", "pattern": r"^\d+(,\d+)*$"},
    )


class PersonOut(Open):
    """A user and the live state of the bot."""

    id: int
    email: str
    role: str
    active: bool
    running: bool
    status: str = Field(examples=["running"])
    message: str
    uptime: int = Field(description="Seconds.")
    exchange: str
    mode: str
    symbol: str
    side: str
    cycle: int | None
    legs_filled: int
    legs: int
    position: bool = Field(description="A position is, or may be, open.")
    protection: Literal["unseen", "no_position", "protected", "unprotected", "unknown"]
    protection_since: str | None = Field(description="UTC.")
    protection_why: str
    alarming: bool = Field(description="Open and not certainly protected, and not by the trader's choice.")
    profit: Money = Field(description="Net, USDT, of the account in use.")


class ProfitOut(BaseModel):
    """Net profit of everybody by mode, USDT."""

    paper: Money
    demo: Money
    live: Money
    complete: bool = Field(description="False while books of before the last restart are still being added up.")


class PeopleTotalsOut(BaseModel):
    """Everybody in figures."""

    users: int
    running: int
    positions: int
    unprotected: int
    attention: int
    profit: ProfitOut
    at: str = Field(description="UTC.")


class PeopleOut(BaseModel):
    """A page of users and the totals of all."""

    rows: list[PersonOut]
    found: int = Field(description="How many match the filters.")
    page: int
    pages: int
    totals: PeopleTotalsOut


class LiveRowsOut(BaseModel):
    """The rows that were asked for, as they are now, and the totals of all."""

    rows: list[PersonOut]
    totals: PeopleTotalsOut


class IdsOut(BaseModel):
    """The number of everybody who matches the filters."""

    ids: list[int]


class SelectionIn(Strict):
    """A selection of users."""

    user_ids: list[UserId] = Field(min_length=1, max_length=SELECTION_MAX)


class SelectionOut(BaseModel):
    """What a command on the selection would meet."""

    users: int
    running: int
    positions: int
    live_positions: int = Field(description="Positions with real money.")


class CommandsIn(Strict):
    """One command for many users; how to stop counts for `stop` only."""

    command: Literal["start", "stop", "reconcile"]
    user_ids: list[UserId] = Field(min_length=1, max_length=COMMAND_USERS_MAX)
    legs: Literal["pull", "keep"] = "pull"
    when: Literal["now", "after_cycle"] = "now"
    position: Literal["keep", "close"] = "keep"


class CommandResultOut(Open):
    """What became of the command for one user."""

    user_id: int
    success: bool
    status: str
    message: str
    actions: list[str] = Field(default_factory=list)


class CommandsOut(BaseModel):
    """What became of the command, in the order of the users."""

    results: list[CommandResultOut]


class NewUserIn(Strict):
    """A user with a first password."""

    email: str = Field(max_length=EMAIL_MAX)
    password: str = Field(max_length=PASSWORD_MAX, json_schema_extra={"writeOnly": True})
    role: Literal["trader", "admin"] = "trader"


class InviteIn(Strict):
    """Somebody who is to choose a password by a link."""

    email: str = Field(max_length=EMAIL_MAX)
    role: Literal["trader", "admin"] = "trader"


class LinkOut(BaseModel):
    """A one-time link; it is shown this once."""

    link: str
    email: str
    expires_at: str = Field(description="UTC.")


class InvitationOut(BaseModel):
    """A link that was not used yet. The link itself cannot be read again."""

    id: int
    email: str
    role: str = Field(description="Empty for a link that sets the password of an account anew.")
    expires_at: str


class InvitationsOut(BaseModel):
    """Every link that may still be used."""

    rows: list[InvitationOut]


class DoneOut(Open):
    """It was done."""

    success: Literal[True] = True
    status: str
    message: str


class AccessIn(Strict):
    """Whether the user may sign in."""

    active: bool
    stop: bool = Field(False, description="When keeping somebody out: stop the bot as well, leaving its protection.")


class PersonDetailOut(Open):
    """Everything of one user that an administrator may see; never a secret."""

    person: PersonOut
    bot: dict[str, Any] = Field(description="As `GET /api/bot/status`.")
    settings: dict[str, Any] = Field(description="As `GET /api/bot/settings`.")
    feed: list[dict[str, Any]]


class NoticeIn(Strict):
    """One sentence for everybody; an empty one takes the notice away."""

    message: str = Field(max_length=300)


class NoticeOut(BaseModel):
    """A notice that stands."""

    name: Literal["maintenance", "banner"]
    message: str
    since: str = Field(description="UTC.")


class NoticesOut(BaseModel):
    """Every notice that stands, maintenance first."""

    notices: list[NoticeOut]


class VenueOut(Open):
    """How an exchange stands towards this server."""

    venue: str
    used: int
    limit: int
    window_seconds: float
    counts: bool = Field(description="Whether its limits are counted.")
    in_flight: int
    waiting: dict[str, int] = Field(description="Requests that stand in line, by priority.")
    banned_seconds: float
    users_shut_out: int
    sent: int
    not_sent: int


class StreamsOut(BaseModel):
    """Connections on which exchanges tell what happens."""

    ready: int
    waiting: int
    reconnects: int
    bots_told: int


class ServerOut(Open):
    """The server as a whole."""

    version: str
    uptime: int = Field(description="Seconds.")
    health: str = Field(description="What `/readyz` says.", examples=["ready"])
    database_bytes: int | None
    venues: list[VenueOut]
    streams: StreamsOut | None
    notices: list[NoticeOut]


class PagedIn(Strict):
    """Which part of a list."""

    limit: int = Field(50, ge=1, le=200)
    before_id: int | None = Field(None, ge=1, le=ID_MAX, description="Only rows older than this one.")


class PagedOut(BaseModel):
    """Rows, newest first, and where the next page begins."""

    rows: list[dict[str, Any]]
    next_before_id: int | None

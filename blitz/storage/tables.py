"""Every table, once. The migrations build exactly this; a test compares the two.

Times are milliseconds since the epoch, UTC (`…_ms`). Money is `DecimalText`. Words (states, kinds, modes) are stored as
the values of their enums. Nothing is pickled. Who belongs to whom is a foreign key: what a user traded can never
outlive or precede the user, and a user who traded cannot be deleted.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from blitz.storage.money import DecimalText

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _owner(*, primary_key: bool = False, vanishes_with_user: bool = False) -> Column[int]:
    """The column that says whose row it is."""
    rule = "CASCADE" if vanishes_with_user else "RESTRICT"
    return Column("user_id", Integer, ForeignKey("users.id", ondelete=rule), nullable=False, primary_key=primary_key)


users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    # Sealed with SecretBox, see `secrets`; NULL when not set.
    Column("api_key", Text),
    Column("api_secret", Text),
    Column("api_key_hint", Text, nullable=False),
    Column("telegram_token", Text),
    Column("telegram_chat_id", Text),
    Column("paper_api_key", Text),
    Column("paper_api_secret", Text),
    # What the trader chose, by the documented names; see core.ladder_settings.
    Column("exchange", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("leverage", DecimalText, nullable=False),
    Column("margin_mode", Text, nullable=False),
    Column("grids", Text, nullable=False),
    Column("rounds", Integer, nullable=False),
    Column("take_profit", DecimalText, nullable=False),
    Column("stop_loss", DecimalText, nullable=False),
    Column("repeat", Boolean, nullable=False),
    Column("mode", Text, nullable=False),
    Column("testnet", Boolean, nullable=False, server_default=false()),
    # When the trader went live with the key, exchange and mode that stand in this row; NULL when not.
    Column("live_since_ms", BigInteger),
    # How pages speak to this person; empty follows the browser.
    Column("language", Text, nullable=False, server_default=""),
    Column("theme", Text, nullable=False, server_default=""),
    Column("time_zone", Text, nullable=False, server_default=""),
    # A user id is part of every order's tag: one that was used is never given to somebody else.
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_hash", Text, nullable=False, unique=True),
    _owner(vanishes_with_user=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("peer", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Index(None, "user_id"),
    sqlite_autoincrement=True,
)

setup_tokens = Table(
    "setup_tokens",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("expires_ms", BigInteger, nullable=False),
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index(None, "subject", "at_ms"),
    Index(None, "at_ms"),
)

bots = Table(
    "bots",
    metadata,
    _owner(primary_key=True, vanishes_with_user=True),
    Column("desired", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

order_slots = Table(
    "order_slots",
    metadata,
    _owner(),
    Column("account", Text, nullable=False),
    Column("tag", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("leg", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("used", Boolean, nullable=False),
    Column("burnt", Boolean, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("last_order_id", Text, nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("quantity", DecimalText, nullable=False),
    Column("price", DecimalText),
    Column("trigger", DecimalText),
    Column("sent_ms", BigInteger, nullable=False),
    Column("doubted_until_ms", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("user_id", "account", "tag"),
)

cycles = Table(
    "cycles",
    metadata,
    _owner(),
    Column("account", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("settings", Text, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("end", Text),
    Column("realised", DecimalText, nullable=False),
    Column("fees", DecimalText, nullable=False),
    Column("funding", DecimalText, nullable=False),
    Column("legs_filled", Integer, nullable=False),
    # Also in the settings; here so that a history can be searched for them.
    Column("symbol", Text, nullable=False, server_default=""),
    Column("side", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("user_id", "account", "number"),
    Index(None, "user_id", "account", "ended_ms"),
)

fills = Table(
    "fills",
    metadata,
    Column("id", Integer, primary_key=True),
    _owner(),
    Column("account", Text, nullable=False),
    Column("exec_id", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("quantity", DecimalText, nullable=False),
    Column("price", DecimalText, nullable=False),
    Column("fee", DecimalText, nullable=False),
    Column("is_maker", Boolean, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("role", Text),
    Column("leg", Integer),
    Column("sequence", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("user_id", "account", "exec_id"),
    Index(None, "user_id", "account", "cycle"),
    Index(None, "user_id", "account", "at_ms"),
    sqlite_autoincrement=True,
)

id_regimes = Table(
    "id_regimes",
    metadata,
    _owner(),
    Column("account", Text, nullable=False),
    Column("regime", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "account"),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    _owner(),
    Column("account", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("data", Text, nullable=False),
    Index(None, "user_id", "account", "id"),
    Index(None, "user_id", "account", "at_ms"),
    Index(None, "user_id", "account", "cycle"),
    sqlite_autoincrement=True,
)

# What programs sign in with; see `api_tokens`.
api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_hash", Text, nullable=False, unique=True),
    _owner(vanishes_with_user=True),
    Column("name", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
    Index(None, "user_id"),
    sqlite_autoincrement=True,
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

# What every page says on top, by name: `maintenance` stops starts as well, `banner` only speaks.
notices = Table(
    "notices",
    metadata,
    Column("name", Text, primary_key=True),
    Column("message", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
)

# What administrators did, and to whom. Not foreign keys: the record outlives whom it names.
admin_acts = Table(
    "admin_acts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("admin_id", Integer, nullable=False),
    Column("user_id", Integer),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    sqlite_autoincrement=True,
)

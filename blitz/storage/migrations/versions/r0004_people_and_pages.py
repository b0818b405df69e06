"""People choose language, theme and time zone; programs get tokens; administrators invite, and what they do is kept.

A history can be searched: cycles by market and side, all of it by time.

Revision ID: 0004
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add what the pages of accounts and of administrators store. Whoever is there keeps the browser's choices."""
    for name in ("language", "theme", "time_zone"):
        op.add_column("users", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger()),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_api_tokens_user_id", "api_tokens", ["user_id"])
    op.create_table(
        "invitations",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "notices",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "admin_acts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("admin_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer()),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    for name in ("symbol", "side"):
        op.add_column("cycles", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    _copy_markets()
    op.create_index("ix_cycles_user_id_account_ended_ms", "cycles", ["user_id", "account", "ended_ms"])
    for name in ("at_ms", "cycle"):
        op.create_index(f"ix_events_user_id_account_{name}", "events", ["user_id", "account", name])


def _copy_markets() -> None:
    """Take market and side of every cycle out of its settings. One statement for each kind of settings."""
    cycles = sa.table("cycles", *map(sa.column, ("settings", "symbol", "side")))
    connection = op.get_bind()
    for settings in connection.scalars(sa.select(cycles.c.settings).distinct()).all():
        read = json.loads(settings)
        market = {"symbol": read["symbol"], "side": read["side"]}
        connection.execute(sa.update(cycles).where(cycles.c.settings == settings).values(market))

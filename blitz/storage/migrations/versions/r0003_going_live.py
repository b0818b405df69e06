"""Traders choose the testnet as a kind of demo, and go live by a deliberate act.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add both columns. Nobody has gone live yet: whoever traded live before has to confirm it once."""
    op.add_column("users", sa.Column("testnet", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("users", sa.Column("live_since_ms", sa.BigInteger(), nullable=True))

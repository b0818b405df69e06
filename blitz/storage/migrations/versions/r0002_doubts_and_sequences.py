"""Slots remember until when an earlier try of an exit may turn up; fills keep the venue's order within a millisecond.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add both columns. What was sent or filled before they existed is in no doubt, and in the order it was listed."""
    op.add_column("order_slots", sa.Column("doubted_until_ms", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("fills", sa.Column("sequence", sa.BigInteger(), nullable=False, server_default="0"))

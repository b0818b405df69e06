"""Order slots remember until when an earlier try of an exit may still turn up.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; what was sent before it existed is older than any doubt by the time a bot starts."""
    op.add_column("order_slots", sa.Column("doubted_until_ms", sa.BigInteger(), nullable=False, server_default="0"))

"""Gaps of the watch: stretches of time in which something may have changed unseen."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Integer, String, Text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add their table."""
    op.create_table(
        "gaps",
        Column("id", String(32), primary_key=True),
        Column("host", Text, nullable=False),
        Column("reason", String(40), nullable=False),
        Column("place", Text, nullable=False),
        Column("since", String(40), nullable=False),
        Column("until", String(40)),
        Column("number", Integer, nullable=False),
        Column("recorded_at", String(40), nullable=False),
        Column("reconciled_at", String(40)),
        Column("changes", Integer),
        Column("detail", Text, nullable=False),
    )
    op.create_index("gaps_by_since", "gaps", ["since"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("gaps")

"""Imported advisories, and the catalogue of weaknesses known to be exploited."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, Boolean, Column, String, Text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add their tables."""
    op.create_table(
        "advisories",
        Column("id", String(100), primary_key=True),
        Column("ecosystem", String(40), primary_key=True),
        Column("name", String(300), primary_key=True),
        Column("source", Text, nullable=False),
        Column("record", JSON, nullable=False),
    )
    op.create_index("advisories_by_name", "advisories", ["ecosystem", "name"])
    op.create_table(
        "exploited",
        Column("cve", String(40), primary_key=True),
        Column("added", String(40), nullable=False),
        Column("ransomware", Boolean, nullable=False),
        Column("source", Text, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("exploited")
    op.drop_table("advisories")

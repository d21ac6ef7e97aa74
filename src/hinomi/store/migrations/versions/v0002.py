"""Search, the allow-list, and feeds with their stories."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, Column, Integer, String, Text, bindparam, text

from hinomi.store.searching import folded

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column that search reads, filled for the reports at hand, and three tables."""
    op.add_column("reports", Column("folded", Text, nullable=False, server_default=""))
    _fill()
    op.create_table(
        "allowed",
        Column("type", String(32), primary_key=True),
        Column("value", Text, primary_key=True),
        Column("why", Text, nullable=False),
        Column("who", Text, nullable=False),
        Column("at", String(40), nullable=False),
    )
    op.create_table(
        "feeds",
        Column("url", Text, primary_key=True),
        Column("title", Text, nullable=False),
        Column("etag", Text),
        Column("modified", Text),
        Column("added_at", String(40), nullable=False),
        Column("fetched_at", String(40)),
    )
    op.create_table(
        "stories",
        Column("link", Text, primary_key=True),
        Column("position", Integer, nullable=False),
        Column("feed", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("published", String(40)),
        Column("sketch", JSON, nullable=False),
        Column("report_id", String(64)),
        Column("duplicate_of", Text),
        Column("seen_at", String(40), nullable=False),
    )
    op.create_index("stories_by_position", "stories", ["position"])


def downgrade() -> None:
    """Drop them."""
    for table in ("stories", "feeds", "allowed"):
        op.drop_table(table)
    with op.batch_alter_table("reports") as reports:
        reports.drop_column("folded")


def _fill() -> None:
    connection = op.get_bind()
    change = text("UPDATE reports SET folded = :folded WHERE id = :id").bindparams(
        bindparam("folded", type_=Text), bindparam("id", type_=String)
    )
    ids = connection.execute(text("SELECT id FROM reports")).scalars().all()
    for report_id in ids:
        row = connection.execute(text("SELECT title, text FROM reports WHERE id = :id"), {"id": report_id}).one()
        connection.execute(change, {"id": report_id, "folded": folded(f"{row.title}\n{row.text}")})

"""The first schema, written out: it stays what the first release made, whatever the schema becomes later."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Text

revision = "0001"
down_revision = None

_TABLES = ("journal", "findings", "relations", "claims", "reports", "runs")


def upgrade() -> None:
    """Create every table of the first release."""
    _runs_and_reports()
    _claims()
    _findings_and_journal()


def downgrade() -> None:
    """Drop them."""
    for table in _TABLES:
        op.drop_table(table)


def _runs_and_reports() -> None:
    op.create_table(
        "runs",
        Column("id", String(64), primary_key=True),
        Column("target", Text, nullable=False),
        Column("kind", String(32), nullable=False),
        Column("host", Text, nullable=False),
        Column("started", String(40), nullable=False),
        Column("finished", String(40)),
        Column("status", String(16), nullable=False),
        Column("coverage", JSON),
    )
    op.create_table(
        "reports",
        Column("id", String(64), primary_key=True),
        Column("source", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("language", String(2), nullable=False),
        Column("published", String(40)),
        Column("text", Text, nullable=False),
        Column("sections", JSON, nullable=False),
        Column("sha256", String(64), nullable=False),
        Column("media_type", String(80), nullable=False),
        Column("notes", JSON, nullable=False),
        Column("read_at", String(40), nullable=False),
    )


def _claims() -> None:
    op.create_table(
        "claims",
        Column("report_id", String(64), ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True),
        Column("id", String(64), primary_key=True),
        Column("position", Integer, nullable=False),
        Column("type", String(32), nullable=False),
        Column("value", Text, nullable=False),
        Column("canonical", Text),
        Column("text", Text, nullable=False),
        Column("span_start", Integer, nullable=False),
        Column("span_end", Integer, nullable=False),
        Column("role", String(32), nullable=False),
        Column("section", Integer),
        Column("confidence", Integer, nullable=False),
        Column("status", String(16), nullable=False),
        Column("why", Text, nullable=False),
        Column("attributes", JSON, nullable=False),
        Column("decided_by", Text),
        Column("decided_at", String(40)),
        Column("decided_why", Text),
    )
    op.create_index("claims_by_value", "claims", ["type", "value"])
    op.create_table(
        "relations",
        Column("report_id", String(64), ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True),
        Column("position", Integer, primary_key=True),
        Column("from_id", String(64), nullable=False),
        Column("type", String(32), nullable=False),
        Column("to_id", String(64), nullable=False),
        Column("span_start", Integer, nullable=False),
        Column("span_end", Integer, nullable=False),
        Column("confidence", Integer, nullable=False),
    )


def _findings_and_journal() -> None:
    op.create_table(
        "findings",
        Column("id", String(64), primary_key=True),
        Column("run_id", String(64), nullable=False),
        Column("target", Text, nullable=False),
        Column("rule_id", Text, nullable=False),
        Column("severity", String(16), nullable=False),
        Column("body", JSON, nullable=False),
        Column("first_seen", String(40), nullable=False),
        Column("last_seen", String(40), nullable=False),
        Column("triage", String(16), nullable=False, server_default="new"),
    )
    op.create_index("findings_by_target", "findings", ["target", "run_id"])
    op.create_table(
        "journal",
        Column("sequence", Integer, primary_key=True),
        Column("at", String(40), nullable=False),
        Column("actor", Text, nullable=False),
        Column("event", String(40), nullable=False),
        Column("body", Text, nullable=False),
        Column("previous", String(64), nullable=False),
        Column("hash", String(64), nullable=False),
    )

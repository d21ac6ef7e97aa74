"""The state's schema, the same on SQLite and PostgreSQL. Changes go through `migrations/`."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text

METADATA = MetaData()

RUNS = Table(
    "runs",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("target", Text, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("host", Text, nullable=False),
    Column("started", String(40), nullable=False),
    Column("finished", String(40)),
    Column("status", String(16), nullable=False),  # running, complete, interrupted
    Column("coverage", JSON),
)

REPORTS = Table(
    "reports",
    METADATA,
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
    Column("folded", Text, nullable=False, server_default=""),  # title and text in the form that search compares
)

CLAIMS = Table(
    "claims",
    METADATA,
    Column("report_id", ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True),
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
Index("claims_by_value", CLAIMS.c.type, CLAIMS.c.value)

RELATIONS = Table(
    "relations",
    METADATA,
    Column("report_id", ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("from_id", String(64), nullable=False),
    Column("type", String(32), nullable=False),
    Column("to_id", String(64), nullable=False),
    Column("span_start", Integer, nullable=False),
    Column("span_end", Integer, nullable=False),
    Column("confidence", Integer, nullable=False),
)

FINDINGS = Table(
    "findings",
    METADATA,
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
Index("findings_by_target", FINDINGS.c.target, FINDINGS.c.run_id)

JOURNAL = Table(
    "journal",
    METADATA,
    Column("sequence", Integer, primary_key=True),
    Column("at", String(40), nullable=False),
    Column("actor", Text, nullable=False),
    Column("event", String(40), nullable=False),
    Column("body", Text, nullable=False),  # canonical JSON: what the hash covers
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

ALLOWED = Table(
    "allowed",
    METADATA,
    Column("type", String(32), primary_key=True),
    Column("value", Text, primary_key=True),  # in the form that `store.allowed.plain` gives
    Column("why", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", String(40), nullable=False),
)

FEEDS = Table(
    "feeds",
    METADATA,
    Column("url", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("etag", Text),
    Column("modified", Text),
    Column("added_at", String(40), nullable=False),
    Column("fetched_at", String(40)),
)

STORIES = Table(
    "stories",
    METADATA,
    Column("link", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("feed", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("published", String(40)),
    Column("sketch", JSON, nullable=False),  # the smallest hashes of its shingles
    Column("report_id", String(64)),
    Column("duplicate_of", Text),
    Column("seen_at", String(40), nullable=False),
)
Index("stories_by_position", STORIES.c.position)

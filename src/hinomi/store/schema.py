"""The state's schema, the same on SQLite and PostgreSQL. Changes go through `migrations/`."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, MetaData, Table

from hinomi.store.words import Text, Word

METADATA = MetaData()

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Word(64), primary_key=True),
    Column("target", Text(), nullable=False),
    Column("kind", Word(32), nullable=False),
    Column("host", Text(), nullable=False),
    Column("started", Word(40), nullable=False),
    Column("finished", Word(40)),
    Column("status", Word(16), nullable=False),  # running, complete, interrupted
    Column("coverage", JSON),
)

REPORTS = Table(
    "reports",
    METADATA,
    Column("id", Word(64), primary_key=True),
    Column("source", Text(), nullable=False),
    Column("title", Text(), nullable=False),
    Column("language", Word(2), nullable=False),
    Column("published", Word(40)),
    Column("text", Text(), nullable=False),
    Column("sections", JSON, nullable=False),
    Column("sha256", Word(64), nullable=False),
    Column("media_type", Word(80), nullable=False),
    Column("notes", JSON, nullable=False),
    Column("read_at", Word(40), nullable=False),
    Column("folded", Text(), nullable=False, server_default=""),  # title and text in the form that search compares
)

CLAIMS = Table(
    "claims",
    METADATA,
    Column("report_id", ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Word(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("type", Word(32), nullable=False),
    Column("value", Text(), nullable=False),
    Column("canonical", Text()),
    Column("text", Text(), nullable=False),
    Column("span_start", Integer, nullable=False),
    Column("span_end", Integer, nullable=False),
    Column("role", Word(32), nullable=False),
    Column("section", Integer),
    Column("confidence", Integer, nullable=False),
    Column("status", Word(16), nullable=False),
    Column("why", Text(), nullable=False),
    Column("attributes", JSON, nullable=False),
    Column("decided_by", Text()),
    Column("decided_at", Word(40)),
    Column("decided_why", Text()),
)

RELATIONS = Table(
    "relations",
    METADATA,
    Column("report_id", ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("from_id", Word(64), nullable=False),
    Column("type", Word(32), nullable=False),
    Column("to_id", Word(64), nullable=False),
    Column("span_start", Integer, nullable=False),
    Column("span_end", Integer, nullable=False),
    Column("confidence", Integer, nullable=False),
)

FINDINGS = Table(
    "findings",
    METADATA,
    Column("id", Word(64), primary_key=True),
    Column("run_id", Word(64), nullable=False),
    Column("target", Text(), nullable=False),
    Column("rule_id", Text(), nullable=False),
    Column("severity", Word(16), nullable=False),
    Column("body", JSON, nullable=False),
    Column("first_seen", Word(40), nullable=False),
    Column("last_seen", Word(40), nullable=False),
    Column("triage", Word(16), nullable=False, server_default="new"),
)
Index("findings_by_target", FINDINGS.c.target, FINDINGS.c.run_id)

JOURNAL = Table(
    "journal",
    METADATA,
    Column("sequence", Integer, primary_key=True),
    Column("at", Word(40), nullable=False),
    Column("actor", Text(), nullable=False),
    Column("event", Word(40), nullable=False),
    Column("body", Text(), nullable=False),  # canonical JSON: what the hash covers
    Column("previous", Word(64), nullable=False),
    Column("hash", Word(64), nullable=False),
)

ALLOWED = Table(
    "allowed",
    METADATA,
    Column("type", Word(32), primary_key=True),
    Column("value", Text(), primary_key=True),  # in the form that `store.allowed.plain` gives
    Column("why", Text(), nullable=False),
    Column("who", Text(), nullable=False),
    Column("at", Word(40), nullable=False),
)

FEEDS = Table(
    "feeds",
    METADATA,
    Column("url", Text(), primary_key=True),
    Column("title", Text(), nullable=False),
    Column("etag", Text()),
    Column("modified", Text()),
    Column("added_at", Word(40), nullable=False),
    Column("fetched_at", Word(40)),
)

STORIES = Table(
    "stories",
    METADATA,
    Column("link", Text(), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("feed", Text(), nullable=False),
    Column("title", Text(), nullable=False),
    Column("published", Word(40)),
    Column("sketch", JSON, nullable=False),  # the smallest hashes of its shingles
    Column("report_id", Word(64)),
    Column("duplicate_of", Text()),
    Column("seen_at", Word(40), nullable=False),
)
Index("stories_by_position", STORIES.c.position)

GAPS = Table(
    "gaps",
    METADATA,
    Column("id", Word(32), primary_key=True),
    Column("host", Text(), nullable=False),
    Column("reason", Word(40), nullable=False),
    Column("place", Text(), nullable=False),  # the folder it is about
    Column("since", Word(40), nullable=False),
    Column("until", Word(40)),  # null: goes on
    Column("number", Integer, nullable=False),
    Column("recorded_at", Word(40), nullable=False),
    Column("reconciled_at", Word(40)),  # null: what changed in it is not known yet
    Column("changes", Integer),  # found when it was reconciled
    Column("detail", Text(), nullable=False),
)
Index("gaps_by_since", GAPS.c.since)

ADVISORIES = Table(
    "advisories",
    METADATA,
    Column("id", Word(100), primary_key=True),
    Column("ecosystem", Word(40), primary_key=True),
    Column("name", Word(300), primary_key=True),  # lower case
    Column("source", Text(), nullable=False),
    Column("record", JSON, nullable=False),  # OSV
)
Index("advisories_by_name", ADVISORIES.c.ecosystem, ADVISORIES.c.name)

EXPLOITED = Table(
    "exploited",
    METADATA,
    Column("cve", Word(40), primary_key=True),
    Column("added", Word(40), nullable=False),
    Column("ransomware", Boolean, nullable=False),
    Column("source", Text(), nullable=False),
)

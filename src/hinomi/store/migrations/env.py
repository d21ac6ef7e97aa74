"""Run by Alembic: migrates over the connection that `hinomi.store.state` hands in."""

from __future__ import annotations

from alembic import context

from hinomi.store.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()

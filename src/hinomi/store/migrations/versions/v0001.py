"""The first schema."""

from __future__ import annotations

from alembic import op

from hinomi.store.schema import METADATA

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table of the first release."""
    METADATA.create_all(op.get_bind())


def downgrade() -> None:
    """Drop them."""
    METADATA.drop_all(op.get_bind())

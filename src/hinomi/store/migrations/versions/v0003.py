"""An index goes: nothing asked it, and PostgreSQL has no room in an index for a claim as long as a paragraph."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Drop it."""
    op.drop_index("claims_by_value", "claims")


def downgrade() -> None:
    """Make it again."""
    op.create_index("claims_by_value", "claims", ["type", "value"])

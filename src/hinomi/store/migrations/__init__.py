"""Alembic's environment: one file per change of the state's schema."""

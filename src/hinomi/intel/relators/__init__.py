"""Relators: one module with `RELATOR` joins claims of one sentence."""

"""Indicator families: one module with `FAMILY` finds one kind of indicator."""

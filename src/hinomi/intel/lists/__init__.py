"""Indicator lists of others: which column holds what, and how CSV and JSON of every shape become rows."""

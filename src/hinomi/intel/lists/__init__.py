"""Indicator lists of others: how CSV and JSON of every shape become rows."""

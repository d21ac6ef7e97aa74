"""Walks archives of any kind, nested to any allowed depth, by content alone: one walker, one small reader a format."""

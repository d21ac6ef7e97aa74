"""Deciding which words of a text are names, and of what."""

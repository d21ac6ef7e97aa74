"""Alerts: what the watch finds, sent where people look. Nothing here connects to a network unless told to."""

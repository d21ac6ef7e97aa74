"""Rows + rules -> findings: one adapter per rule format."""

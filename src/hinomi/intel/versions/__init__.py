"""Versions in prose: which ones are affected, which ones fixed, of which product, on which branch."""

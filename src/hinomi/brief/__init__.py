"""Findings + claims -> words: ranking, digest, renderers, templates."""

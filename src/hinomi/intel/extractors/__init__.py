"""Extractors: one module with `EXTRACTOR` finds one kind of claim."""

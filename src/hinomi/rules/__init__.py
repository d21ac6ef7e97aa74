"""Data only: rules, each beside its cases, and the vocabularies they share."""

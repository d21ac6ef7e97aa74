"""What things are: claims, tables, findings, verdicts, errors. Frozen dataclasses, no I/O."""

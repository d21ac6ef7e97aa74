"""Report formats: one module with `FORMAT` reads one format."""

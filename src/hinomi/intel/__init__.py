"""Report -> claims: formats, language, extractors, relations, STIX."""

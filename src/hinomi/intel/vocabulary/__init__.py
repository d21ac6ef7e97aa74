"""Public names and phrases as data, loaded when first asked for. Sources and licences: NOTICE.md beside them."""

"""hinomi library: one module a kind of sub-command; they gather in `group`."""

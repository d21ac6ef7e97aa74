"""A signed statement of what a target is, what differs from it now, and which differences explain themselves."""

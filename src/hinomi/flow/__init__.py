"""Use cases, one function each: the only place where the domains meet."""

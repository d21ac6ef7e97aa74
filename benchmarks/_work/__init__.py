"""Ordinary work, done by the programs that do it everywhere, in a root of its own."""

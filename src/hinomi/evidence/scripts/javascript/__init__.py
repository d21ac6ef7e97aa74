"""JavaScript droppers and package.json install scripts: calls that start, write, fetch, decode and evaluate."""

from hinomi.evidence.scripts.javascript.machine import walk_javascript

__all__ = ["walk_javascript"]

"""Batch files of Windows (.bat, .cmd): read line by line, as cmd.exe does; there is no grammar to build a tree by."""

from hinomi.evidence.scripts.batch.machine import tokens_of, walk_batch

__all__ = ["tokens_of", "walk_batch"]

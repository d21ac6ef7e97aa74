"""A folder of this host as a tree: for collections that lie unpacked."""

from __future__ import annotations

from functools import partial

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.inner import SourceView
from hinomi.evidence.images.tree import BuiltTree, Node
from hinomi.evidence.view import FileSystemView
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage


def folder_tree(view: FileSystemView, sources: SourceView) -> BuiltTree:
    """Return everything a view walks; what it could not list is noted. `sources` opens the files."""
    tree = BuiltTree("folder")
    coverage = Coverage()
    for entry in view.walk(coverage):
        node = Node(entry.kind, entry.mode, entry.uid, entry.gid, entry.size, entry.mtime, entry.ctime, entry.btime)
        node.inode, node.links, node.link = tree.number(), 1, entry.link_target
        if entry.kind == "file":
            node.content = partial(_content, sources, entry.path)
        tree.add(entry.path, node)
    for miss in coverage.misses:
        tree.notes.miss(miss.subject, miss.reason, miss.detail)
    return tree


def _content(sources: SourceView, path: bytes) -> Source:
    try:
        return sources.file_source(path)
    except OSError as error:
        raise ParseError("image.unreadable", cause=error.strerror or "") from error

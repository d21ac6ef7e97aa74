"""FortiOS keeps its root as one file, encrypted with a key of its kernel: only dissect opens that."""

from __future__ import annotations

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.foreign import ForeignTree, open_foreign
from hinomi.evidence.images.kinds import recognise
from hinomi.evidence.images.tree import Tree
from hinomi.model.errors import ParseError

ROOT = b"rootfs.gz"
_BESIDE = frozenset({b".fgtsum", b".fmg_sign", b"flatkc", b"system.conf"})


def is_locked_root(tree: Tree) -> bool:
    """Whether a file system is FortiOS's boot partition, and its root is no archive that is known here."""
    try:
        names = tree.children(tree.root)
        node = names.get(ROOT)
        if node is None or node.content is None or not _BESIDE & names.keys():
            return False
        return recognise(node.content()) is None
    except ParseError:
        return False


def fortios_tree(disk: Source) -> ForeignTree:
    """Return the root as FortiOS's boot would put it together; `ParseError` where it stays closed."""
    for _, found in open_foreign("fortios", disk):
        if isinstance(found, ForeignTree):
            return found
    raise ParseError("image.encrypted", cause="FortiOS root")

"""Container images: `docker save` archives and OCI layouts, their layers laid over each other with true whiteouts.

Formats: OCI image-spec 1.1 (image-layout, index, manifest, layer "Whiteouts"), docker image specification 1.2.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.tree import BuiltTree, Node
from hinomi.model.errors import ParseError

MAX_JSON = 4 << 20
MAX_LAYERS = 512
MAX_IMAGES = 64
MAX_INDEX_DEPTH = 4
WHITEOUT = b".wh."
OPAQUE = b".wh..wh..opq"
OpenLayer = Callable[[Source], BuiltTree]


def is_container(tree: BuiltTree) -> bool:
    """Whether an archive is a saved container image."""
    index, manifest = tree.find(b"index.json"), tree.find(b"manifest.json")
    if index is not None and tree.find(b"oci-layout") is not None:
        return bool(_manifests(tree, index))
    return manifest is not None and isinstance(_json(manifest), list) and bool(_saved(tree))


def open_images(tree: BuiltTree, open_layer: OpenLayer) -> list[tuple[str, BuiltTree]]:
    """Return (name, merged tree) for each image in the archive; `ParseError` where none can be put together."""
    found: list[tuple[str, BuiltTree]] = []
    causes: list[str] = []
    for name, layers in _images(tree)[:MAX_IMAGES]:
        if layers is None:
            causes.append(f"{name}: a manifest or layer is missing")
            continue
        found.append((name, _merged(layers, open_layer)))
    if not found:
        raise ParseError("image.damaged", cause="; ".join(causes[:3]) or "no image in the layout")
    for cause in causes:
        found[0][1].notes.miss("", "damaged", cause)
    return found


def _images(tree: BuiltTree) -> list[tuple[str, list[Node] | None]]:
    index = tree.find(b"index.json")
    manifests = _manifests(tree, index) if index is not None else []
    if manifests:
        return [(name, _blobs(tree, manifest)) for name, manifest in manifests]
    return _saved(tree)


def _saved(tree: BuiltTree) -> list[tuple[str, list[Node] | None]]:
    """Return the images that manifest.json names."""
    manifest = tree.find(b"manifest.json")
    body = _json(manifest) if manifest is not None else None
    images: list[tuple[str, list[Node] | None]] = []
    for number, image in enumerate(body if isinstance(body, list) else [], 1):
        layers = image.get("Layers") if isinstance(image, dict) else None
        if isinstance(layers, list):
            tags = image.get("RepoTags")
            name = str(tags[0]) if isinstance(tags, list) and tags else f"image {number}"
            images.append((name, _nodes(tree, [str(layer) for layer in layers])))
    return images


def _nodes(tree: BuiltTree, names: list[str]) -> list[Node] | None:
    found = [_followed(tree, name.encode("utf-8", "replace")) for name in names[:MAX_LAYERS]]
    nodes = [node for node in found if node is not None and node.kind == "file"]
    return nodes if len(nodes) == len(names) else None


def _followed(tree: BuiltTree, name: bytes) -> Node | None:
    """Return a layer's file; old `docker save` archives link equal layers."""
    node = tree.find(name)
    if node is not None and node.link is not None:
        return tree.find(name.rsplit(b"/", 1)[0] + b"/" + node.link if b"/" in name else node.link)
    return node


def _manifests(tree: BuiltTree, index: Node, depth: int = 0, name: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Return the image manifests under an index, nested ones too; attestations are no images."""
    body = _json(index)
    listed = body.get("manifests") if isinstance(body, dict) else None
    found: list[tuple[str, dict[str, Any]]] = []
    for item in listed if isinstance(listed, list) else []:
        if not isinstance(item, dict) or _is_attestation(item) or depth > MAX_INDEX_DEPTH or len(found) >= MAX_IMAGES:
            continue
        node = _blob(tree, item.get("digest"))
        content = _json(node) if node is not None else None
        label = _label(item, name)
        if node is not None and isinstance(content, dict) and "manifests" in content:
            found += _manifests(tree, node, depth + 1, label)
        else:
            found.append((label, content if isinstance(content, dict) else {}))
    return found


def _is_attestation(item: dict[str, Any]) -> bool:
    notes = item.get("annotations")
    return isinstance(notes, dict) and notes.get("vnd.docker.reference.type") == "attestation-manifest"


def _label(item: dict[str, Any], outer: str) -> str:
    notes, platform = item.get("annotations"), item.get("platform")
    name = str(notes.get("org.opencontainers.image.ref.name") or "") if isinstance(notes, dict) else ""
    if isinstance(platform, dict):
        name = f"{name or outer} {platform.get('os')}/{platform.get('architecture')}".strip()
    return name or outer or str(item.get("digest"))[:19]


def _blobs(tree: BuiltTree, manifest: Mapping[str, Any]) -> list[Node] | None:
    layers = manifest.get("layers")
    if not isinstance(layers, list) or len(layers) > MAX_LAYERS:
        return None
    nodes = [_blob(tree, layer.get("digest") if isinstance(layer, dict) else None) for layer in layers]
    found = [node for node in nodes if node is not None]
    return found if len(found) == len(layers) else None


def _blob(tree: BuiltTree, digest: object) -> Node | None:
    if not isinstance(digest, str) or ":" not in digest:
        return None
    node = tree.find(f"blobs/{digest.replace(':', '/', 1)}".encode("utf-8", "replace"))
    return node if node is not None and node.kind == "file" else None


def _json(node: Node) -> Any:
    if node.content is None or node.size > MAX_JSON:
        return None
    try:
        return json.loads(node.content().read_at(0, MAX_JSON))
    except (ValueError, RecursionError, ParseError):
        return None


def _merged(layers: list[Node], open_layer: OpenLayer) -> BuiltTree:
    """Lay the layers over each other; a layer that cannot be read is noted, the rest stands."""
    result = BuiltTree("oci")
    for number, layer in enumerate(layers, 1):
        try:
            assert layer.content is not None  # only files are layers
            upper = open_layer(layer.content())
        except ParseError as error:
            result.notes.miss(f"layer {number}", error.code.rsplit(".", 1)[-1], error.cause)
            continue
        for place, reason, detail in upper.notes.missed:
            result.notes.miss(f"layer {number} {place}".strip(), reason, detail)
        result.notes.skipped.update(upper.notes.skipped)
        _lay(result, result.root, upper.root)
    return result


def _lay(result: BuiltTree, below: Node, above: Node) -> None:
    """Lay one folder over another: whiteouts take away what lies below, never what the same layer brings."""
    todo = [(below, above)]
    while todo:
        lower, upper = todo.pop()
        kept, brought = lower.children, upper.children
        if kept is None or brought is None:
            continue
        if OPAQUE in brought:
            kept.clear()
        for name in brought:
            if name.startswith(WHITEOUT) and name != OPAQUE and kept.pop(name[len(WHITEOUT) :], None) is not None:
                result.notes.skipped["image:whiteout"] += 1
        for name, node in brought.items():
            if name.startswith(WHITEOUT):
                continue
            old = kept.get(name)
            if old is not None and old.children is not None and node.children is not None:
                _take_attributes(old, node)
                todo.append((old, node))
            else:
                kept[name] = _fresh(result, node)


def _fresh(result: BuiltTree, node: Node) -> Node:
    """Number a layer's sub-tree anew and drop whiteouts in it: nothing lies below them."""
    todo = [node]
    while todo:
        here = todo.pop()
        here.inode = result.number()
        if here.children is not None:
            for name in [n for n in here.children if n.startswith(WHITEOUT)]:
                del here.children[name]
            todo.extend(here.children.values())
    return node


def _take_attributes(old: Node, new: Node) -> None:
    old.mode, old.uid, old.gid, old.mtime, old.ctime, old.xattrs = (
        new.mode,
        new.uid,
        new.gid,
        new.mtime,
        new.ctime,
        new.xattrs,
    )

"""XML from outside: no entity, no network, no huge tree; elements by their local names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hinomi.intel.format import damaged

MAX_ELEMENTS = 1_000_000


def looks_like_xml(data: bytes, *names: bytes) -> bool:
    """Tell whether the head is XML and names one of `names` (of the root element or its namespace)."""
    head = data[:8192].replace(b"\0", b"")
    start = head[:64].removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff").removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith(b"<") and any(name in head for name in names)


def root_of(data: bytes, source: str, kind: str) -> Any:
    """Return the root element. Raises ReportError for broken XML and for documents that declare entities."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise damaged(source, kind, error) from error
    definition = root.getroottree().docinfo.internalDTD
    if definition is not None and any(True for _ in definition.iterentities()):
        raise damaged(source, kind, ValueError("it declares entities"))
    return root


def elements(root: Any) -> Iterator[Any]:
    """Yield every element in document order, at most 1,000,000."""
    for number, element in enumerate(root.iter("*")):
        if number >= MAX_ELEMENTS:
            return
        yield element


def local(element: Any) -> str:
    """Return an element's name without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def inner(element: Any) -> str:
    """Return all text within an element."""
    return "".join(element.itertext())


def first(root: Any, *names: str) -> Any:
    """Return the first element of one of these names, or None."""
    return next((e for e in elements(root) if local(e) in names), None)


def text_of(element: Any) -> str:
    """Return an element's own text, or nothing."""
    return (element.text or "").strip() if element is not None else ""


def encoding_of(root: Any) -> str:
    """Return the encoding that the document declares, or nothing."""
    return str(root.getroottree().docinfo.encoding or "")

"""A TAXII 2.1 client (OASIS, 2021): discovery, API roots, collections and their objects, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urljoin, urlsplit

from hinomi.flow.online import Fetch, fetch, require_online
from hinomi.flow.reading import kept
from hinomi.model.claims import Report
from hinomi.model.errors import ReportError
from hinomi.store.case import Case

MEDIA_TYPE = "application/taxii+json;version=2.1"
MAX_PAGES = 500
MAX_OBJECTS = 200_000
MAX_ROOTS = 20
PAGE = 1000
"""Objects asked for at once. A server may give fewer; some cannot go on to `next` unless a limit was named."""


class LeftOut(NamedTuple):
    """A collection of which only the first objects were read, and why it ends there: `pages`, `objects`, `failed`."""

    collection: str
    objects: int
    why: str
    cause: str = ""


class Pulled(NamedTuple):
    """What was read, and what the server has besides."""

    reports: list[Report]
    left_out: list[LeftOut]


def pull(
    case: Case, url: str, *, collection: str | None, since: str | None, online: bool, fetcher: Fetch = fetch
) -> Pulled:
    """Read the objects of a server's readable collections into the library, one report per report object.

    `url` is a server's discovery, an API root or a collection; `since` (RFC 3339) asks for what was added later.
    """
    from hinomi.intel.exchange.stix import bundles_in

    require_online(url, online)
    pulled = Pulled([], [])
    for address in _collections(fetcher, url, collection):
        objects, left = _objects(fetcher, address, since)
        for bundle in bundles_in(objects):
            data = json.dumps(bundle, ensure_ascii=True, sort_keys=True).encode()
            pulled.reports.append(kept(case, address, data, "application/stix+json"))
        pulled.left_out.extend([left] if left else [])
        case.journal.append(
            "collection-pulled", collection=address, objects=len(objects), since=since or "",
            left_out=left.why if left else "",
        )  # fmt: skip
    return pulled


def _collections(fetcher: Fetch, url: str, wanted: str | None) -> list[str]:
    """Return the addresses of the collections to read. Raises ReportError where there is none."""
    found = [address for address, number in _offered(fetcher, url) if wanted is None or wanted == number]
    if not found:
        raise ReportError("taxii.no-collection", place=url, cause=wanted or "no readable collection")
    return found


def _offered(fetcher: Fetch, url: str) -> Iterator[tuple[str, str]]:
    answer = _asked(fetcher, url)
    if "can_read" in answer:
        yield _folder(url), _text(answer.get("id"))
        return
    roots = [urljoin(_folder(url), _text(root)) for root in _list(answer.get("api_roots"))][:MAX_ROOTS]
    for root in roots or [url]:
        if urlsplit(root).netloc != urlsplit(url).netloc:
            continue  # credentials and trust belong to the server that was named
        address = urljoin(_folder(root), "collections/")
        for item in _list(_asked(fetcher, address).get("collections")):
            if isinstance(item, Mapping) and item.get("can_read") and _text(item.get("id")):
                number = _text(item["id"])
                yield urljoin(address, quote(number, safe="") + "/"), number


def _objects(fetcher: Fetch, collection: str, since: str | None) -> tuple[list[dict[str, Any]], LeftOut | None]:
    """Return the objects of a collection, following `next` within bounds, and what stands beyond those.

    A server may give the same `next` for every page and keep count itself, so the end is a page without news. A page
    that fails costs what follows it. Raises ReportError where the first one does.
    """
    query = {"limit": str(PAGE)} | ({"added_after": since} if since else {})
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for _ in range(MAX_PAGES):
        try:
            answer = _asked(fetcher, f"{urljoin(collection, 'objects/')}?{urlencode(query)}")
        except ReportError as error:
            if not found:
                raise
            return list(found.values()), LeftOut(collection, len(found), "failed", str(error))
        before = len(found)
        for item in _list(answer.get("objects")):
            if isinstance(item, dict):
                found.setdefault((_text(item.get("id")), _text(item.get("modified"))), item)
        following = _text(answer.get("next"))
        last = not answer.get("more") or not following or len(found) == before
        if len(found) > MAX_OBJECTS or (len(found) == MAX_OBJECTS and not last):
            return list(islice(found.values(), MAX_OBJECTS)), LeftOut(collection, MAX_OBJECTS, "objects")
        if last:
            return list(found.values()), None
        query = {**query, "next": following}
    return list(found.values()), LeftOut(collection, len(found), "pages")


def _asked(fetcher: Fetch, url: str) -> Mapping[str, Any]:
    from hinomi.intel.jsontree import parsed

    answer = parsed(fetcher(url, accept=MEDIA_TYPE).data or b"{}")
    if not isinstance(answer, dict):
        raise ReportError("taxii.no-server", place=url, cause="the answer is no TAXII 2.1 resource")
    return answer


def _folder(url: str) -> str:
    return url if url.endswith("/") else url + "/"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()

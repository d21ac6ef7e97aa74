"""Read one report: bytes in, report out. Pure: no file, no clock, no network."""

from __future__ import annotations

import codecs
import gc
import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

from hinomi.intel.discovery import members
from hinomi.intel.encoding import decode
from hinomi.intel.extractor import Candidate, Extractor, ReadingContext, Relator
from hinomi.intel.format import MAX_INPUT, Origin, ReportFormat, Statements
from hinomi.intel.headings import STRUCTURE_LIMIT
from hinomi.intel.sections import context_of
from hinomi.model.claims import Claim, Document, Relation, Report, Span
from hinomi.model.errors import ReportError

MAX_CLAIMS = 200_000
MAX_SPANS = 200
"""Further occurrences kept per claim."""
MAX_CANDIDATES = 400_000
"""Candidates taken from one extractor."""
PROSE_LIMIT = STRUCTURE_LIMIT
"""Characters that the extractors of prose (names, behaviours) read; indicators are read from the whole text."""


def read_report(source: str, data: bytes, *, media_type: str | None = None) -> Report:
    """Return the report in `data`; `source` only names it. Raises ReportError when it cannot be read.

    `media_type` (from an HTTP header or a mail part) is a hint; the content decides.
    """
    with _uncollected():
        return _read(source, data, media_type)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Leave the collector of cycles alone: a reading makes objects by the thousand and hardly a cycle among them."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _read(source: str, data: bytes, media_type: str | None) -> Report:
    document, stated = _extracted(source, data, media_type)
    context = context_of(document)
    claims, notes = _claims(context, stated)
    relations = _relations(context, claims, stated)
    origin = stated.origin if stated and stated.origin else Origin(own_id(document.sha256), source, context.published)
    return Report(
        id=origin.id,
        source=origin.source,
        title=context.title or source,
        language=context.language,
        published=origin.published,
        text=document.text,
        sections=context.sections,
        claims=claims,
        relations=relations,
        sha256=document.sha256,
        media_type=document.media_type,
        notes=(*document.notes, *notes),
    )


def own_id(sha256: str) -> str:
    """Return the id of the report that bytes with this digest are."""
    return "report--" + sha256[:32]


def extract_document(source: str, data: bytes, *, media_type: str | None = None) -> Document:
    """Return the extracted text of `data`. Raises ReportError (empty, too large, binary, unknown, no text)."""
    return _extracted(source, data, media_type)[0]


def _extracted(source: str, data: bytes, media_type: str | None) -> tuple[Document, Statements | None]:
    if not data.strip():
        raise ReportError(
            "report-empty", place=source, cause="it holds no bytes", next_step="check the download or the path"
        )
    if len(data) > MAX_INPUT:
        raise ReportError(
            "report-too-large",
            place=source,
            cause=f"it has {len(data)} bytes; a report may have {MAX_INPUT}",
            next_step="cut it into parts, or scan it as a log",
        )
    chosen = _format_of(data, media_type)
    # the only thing that a StructuredFormat has besides: to ask the protocol takes as long as to decode a page
    read: Callable[[bytes, str], tuple[Document, Statements]] | None = getattr(chosen, "read", None)
    return read(data, source) if read else (chosen.extract(data, source), None)


def _format_of(data: bytes, media_type: str | None) -> ReportFormat:
    hint = (media_type or "").split(";")[0].strip().lower()
    formats: Sequence[ReportFormat] = members("hinomi.intel.formats", "FORMAT")

    plain = _recognisable(data)

    def rank(candidate: ReportFormat) -> tuple[int, str]:
        sure = candidate.sniff(plain)
        return sure + (15 if sure and hint in candidate.media_types else 0), candidate.name

    return max(formats, key=rank)


def _recognisable(data: bytes) -> bytes:
    """Return the bytes by which a format is told: text in UTF-16 or UTF-32 as UTF-8, anything else as it is."""
    if not data.startswith(_WIDE):
        return data
    try:
        return decode(data, "")[0].encode("utf-8", "replace")
    except ReportError:
        return data


_WIDE = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _claims(context: ReadingContext, stated: Statements | None) -> tuple[tuple[Claim, ...], tuple[str, ...]]:
    """Return the claims of all extractors; where a document states its values itself, those and its free text's."""
    extractors: Sequence[Extractor] = members("hinomi.intel.extractors", "EXTRACTOR")
    if stated is not None and not stated.prose and not stated.free:
        extractors = ()
    notes: list[str] = []
    prose = context
    if len(context.text) > PROSE_LIMIT:
        prose = _head(context)
        notes.append(f"names and behaviours were read from the first {PROSE_LIMIT} characters only")
    candidates: list[Candidate] = []
    for extractor in extractors:
        found = iter(extractor.extract(context if extractor.name == "indicators" else prose))
        candidates += _within(islice(found, MAX_CANDIDATES), stated)
        if next(found, None) is not None:
            notes.append(f"only the first {MAX_CANDIDATES} candidates of {extractor.name} were kept")
    claims = merge(context, [*(stated.candidates if stated else ()), *candidates])
    if len(claims) > MAX_CLAIMS:
        notes.append(f"only the first {MAX_CLAIMS} of {len(claims)} claims were kept")
        claims = claims[:MAX_CLAIMS]
    return (_attributed(claims, stated) if stated and stated.parts else claims), tuple(notes)


def _attributed(claims: tuple[Claim, ...], stated: Statements) -> tuple[Claim, ...]:
    """Name the attachment that a claim was read in."""
    starts = [part.span[0] for part in stated.parts]

    def named(claim: Claim) -> Claim:
        number = bisect_right(starts, claim.span[0]) - 1
        if number < 0 or claim.span[0] >= stated.parts[number].span[1]:
            return claim
        return replace(claim, attributes={**claim.attributes, "attachment": stated.parts[number].name})

    return tuple(named(claim) for claim in claims)


def _within(candidates: Iterable[Candidate], stated: Statements | None) -> Iterable[Candidate]:
    """Keep what stands in the free text of a structured document and is not stated already; all, of any other."""
    if stated is None or stated.free:
        return candidates
    starts = [span[0] for span in stated.prose]
    known = {(c.type, c.value) for c in stated.candidates}

    def free(candidate: Candidate) -> bool:
        number = bisect_right(starts, candidate.span[0]) - 1
        inside = number >= 0 and candidate.span[1] <= stated.prose[number][1]
        return inside and (candidate.type, candidate.value) not in known

    return filter(free, candidates)


def _head(context: ReadingContext) -> ReadingContext:
    sections = tuple(s for s in context.sections if s.span[0] < PROSE_LIMIT)
    sentences = tuple(s for s in context.sentences if s.span[1] <= PROSE_LIMIT)
    return ReadingContext(
        context.text[:PROSE_LIMIT],
        context.language,
        context.title,
        sections,
        sentences,
        context.source,
        context.published,
    )


def merge(context: ReadingContext, candidates: Iterable[Candidate]) -> tuple[Claim, ...]:
    """Make one claim of all candidates with the same type, value and `distinct`; order by place, type, value.

    The surest candidate gives role, confidence and reason (the first of equals), the first place gives the span.
    """
    groups: dict[tuple[str, str, str], list[Candidate]] = {}
    for candidate in candidates:
        start, end = candidate.span
        if 0 <= start < end <= len(context.text):
            groups.setdefault((candidate.type, candidate.value, candidate.distinct), []).append(candidate)
    claims = [_claim(context, key, group) for key, group in groups.items()]
    return tuple(sorted(claims, key=lambda c: (c.span, c.type, c.value, c.id)))


def _claim(context: ReadingContext, key: tuple[str, str, str], group: list[Candidate]) -> Claim:
    first = best = group[0]
    attributes = dict(best.attributes)
    if len(group) > 1:
        group.sort(key=lambda c: c.span)
        first = group[0]
        best = max(group, key=lambda c: c.confidence)
        attributes = dict(best.attributes)
        for other in group:
            for name, value in other.attributes.items():
                attributes.setdefault(name, value)
        if further := _further_spans(group):
            attributes["spans"] = further
    start, end = span = first.span
    confidence = best.confidence
    return Claim(
        claim_id(*key), best.type, best.value, context.text[start:end], span, best.role, context.section_at(start),
        confidence if 0 <= confidence <= 100 else max(0, min(100, confidence)), "suggested", best.why,
        best.canonical, attributes,
    )  # fmt: skip


def _further_spans(group: Sequence[Candidate]) -> list[list[int]]:
    spans: dict[Span, None] = {c.span: None for c in group[: MAX_SPANS + 1]}
    return [list(span) for span in spans if span != group[0].span]


def claim_id(type_: str, value: str, distinct: str = "") -> str:
    """Return the stable id of a claim: the same thing said in two reports has the same id."""
    digest = hashlib.sha256("\x00".join((type_, value, distinct)).encode("utf-8", "surrogatepass"))
    return "claim--" + digest.hexdigest()[:24]


def _relations(context: ReadingContext, claims: tuple[Claim, ...], stated: Statements | None) -> tuple[Relation, ...]:
    relators: Sequence[Relator] = members("hinomi.intel.relators", "RELATOR") if stated is None or stated.free else ()
    found = {(r.from_id, r.type, r.to_id): r for relator in reversed(relators) for r in relator.relate(context, claims)}
    known = {claim.id for claim in claims}
    for link in stated.links if stated else ():
        ends = claim_id(*link.source), claim_id(*link.target)
        if known.issuperset(ends):
            found[ends[0], link.kind, ends[1]] = Relation(ends[0], link.kind, ends[1], link.span, link.confidence)
    return tuple(sorted(found.values(), key=lambda r: (r.span, r.from_id, r.type, r.to_id)))

"""Which collectors a scan runs where the memory of processes is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hinomi.evidence.options import ScanOptions
from hinomi.model.errors import UsageError

if TYPE_CHECKING:
    from hinomi.detect.catalogue import Catalogue
    from hinomi.evidence.collector import Collector
    from hinomi.evidence.target import Target
    from hinomi.model.findings import Finding

OF_PROCESSES = ("processes", "sockets", "memory_regions")  # collectors that tell of single processes


def collectors_for(target: Target, options: ScanOptions, catalogue: Catalogue) -> Sequence[Collector] | None:
    """Return the collectors of a look at `target`, None for the usual ones.

    Without files only processes are looked at; `UsageError` where memory is asked of a target that is not live.
    """
    if not needs_live(options):
        return None
    if target.kind != "live":
        raise not_live(target.name)
    asked = options.memory or bool(options.pids)
    from hinomi.evidence.collector import load_collectors

    usual = load_collectors()
    if not options.reads_files:
        usual = tuple(collector for collector in usual if collector.name in OF_PROCESSES)
    if not asked:
        return usual
    from hinomi.detect.memory import memory_look
    from hinomi.evidence.process.memory import MemoryCollector

    return [*usual, MemoryCollector(memory_look(catalogue), options.pids)]


def needs_live(options: ScanOptions) -> bool:
    """Whether what is asked for is only there on a live host: memory, or processes without files."""
    return options.memory or bool(options.pids) or not options.reads_files


def not_live(name: str) -> UsageError:
    """Return the error for such a look at anything else."""
    return UsageError("scan.memory-live", place=name, cause="not this live host")


def about_chosen(finding: Finding, options: ScanOptions) -> bool:
    """Whether a finding touches one of the processes that were asked for; every one does where none were."""
    chosen = {str(pid) for pid in options.pids}
    return not chosen or finding.subject_key in chosen or bool(chosen.intersection(finding.related))

from __future__ import annotations

from hinomi.evidence.collect import collect
from hinomi.evidence.collectors.signing import COLLECTOR
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.findings import Coverage
from hinomi.model.tables.trust import ListedDigest, SigningFile


def test_lists_and_signatures_are_rows_and_examples_in_texts_are_none() -> None:
    broken = "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n"
    files = {
        "/fw/manifest": f"{'a' * 64}  /bin/x\n{'b' * 64}  y\n",
        "/fw/manifest.1": b"\x01" * 256,
        "/fw/help.py": f'TEXT = """\n{broken}"""\n',
        "/fw/inner.py": "x = '-----BEGIN PUBLIC KEY-----'\n",
    }
    rows: list[object] = []
    coverage = Coverage()
    collect(memory_target(files), rows.append, coverage, collectors=[COLLECTOR], jobs=1)
    signing = [r for r in rows if isinstance(r, SigningFile)]
    assert [(r.path, r.kind, r.covers, r.entries) for r in signing] == [
        ("/fw/manifest", "digest-list", None, 2),
        ("/fw/manifest.1", "signature", "/fw/manifest", None),
    ]
    assert [r.file for r in rows if isinstance(r, ListedDigest)] == ["/bin/x", "/fw/y"]
    assert coverage.misses == []
    assert coverage.skipped["key or certificate that cannot be read"] == 1

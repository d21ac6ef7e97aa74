"""What the package databases vouch for, in one line per package: version, and a digest of its manifest."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import Any

from hinomi.evidence.packages import load_databases
from hinomi.evidence.view import FileSystemView
from hinomi.model.findings import Coverage


def manifests_of(view: FileSystemView, coverage: Coverage) -> dict[str, str]:
    """Return {package: "version digest"} of all installed packages.

    The digest covers each path that has one in the manifest. A package of several architectures is one, with all its
    versions.
    """
    versions: dict[str, list[str]] = defaultdict(list)
    seals: dict[str, Any] = defaultdict(hashlib.sha256)
    for database in load_databases():
        if not database.present(view):
            continue
        for package in database.packages(view, coverage):
            if package.status != "config-files":
                versions[package.name].append(f"{package.version}:{package.architecture or ''}")
        for owned in sorted(database.owned(view, coverage)):
            if owned.digest is not None:
                seals[owned.package].update(b"%d %b %b" % (len(owned.path), owned.path, owned.digest))
    return {name: f"{','.join(sorted(found))} {seals[name].hexdigest()}" for name, found in sorted(versions.items())}

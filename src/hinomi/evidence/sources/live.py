"""This live host: the root view of `/` without pseudo and network file systems."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

from hinomi.evidence.options import Selection
from hinomi.evidence.ownership import ownership_of
from hinomi.evidence.sources.mounts import skipped_mounts
from hinomi.evidence.sources.platforms import safe_label
from hinomi.evidence.sources.root import RootView
from hinomi.evidence.target import Limits, Target


def live_target(
    *, exclude: Sequence[bytes] = (), limits: Limits | None = None, selection: Selection | None = None
) -> Target:
    """Return this host. `exclude` holds absolute paths that the walk leaves out and says (the case folder)."""
    bounds = limits or Limits()
    view = RootView(
        b"/",
        exclude=[os.path.realpath(path) for path in exclude],
        mounts=skipped_mounts(b"/"),
        max_depth=bounds.max_walk_depth,
        selection=selection,
    )
    return Target(
        name="/",
        kind="live",
        host=safe_label(socket.gethostname()),
        view=view,
        ownership=ownership_of(view),
        platform="linux",
        limits=bounds,
    )

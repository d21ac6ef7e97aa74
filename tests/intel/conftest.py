"""Documents that several tests read are modules beside them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).with_name("samples")))


@pytest.fixture
def calls() -> Callable[[Callable[[], object]], int]:
    """Count the calls, Python's and the interpreter's, that a deed takes: the same on a busy machine."""

    def counted(deed: Callable[[], object]) -> int:
        count = 0

        def called(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(called)
        try:
            deed()
        finally:
            sys.setprofile(None)
        return count

    return counted

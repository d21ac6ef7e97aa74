def survey(
    data: memoryview | bytes,
    begin: int,
    size: int,
    directory: bytes,
    base: int,
    state: tuple[int, int, int],
    most: int,
    work: int,
    key: bytes,
    known: memoryview,
    words: tuple[bytes, ...],
    endings: tuple[bytes, ...],
    firsts: bytes,
    /,
) -> tuple[tuple[int, int, int], int, int, list[tuple[int, int]], list[tuple[int, bytes | None]], int]: ...
def fingerprint(data: memoryview, secret: bytes, /) -> int: ...
def beginning(packed: bytes, wanted: int, step: int, /) -> bytes | None: ...
def another_member(data: memoryview | bytes, /) -> bool: ...

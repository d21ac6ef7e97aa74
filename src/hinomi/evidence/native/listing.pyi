from hinomi.evidence.view import Entry

def list_folder(
    fd: int, prefix: bytes, entry_type: type[Entry], flags: int, names: list[bytes] | None = None, /
) -> tuple[list[Entry], list[bytes]]: ...

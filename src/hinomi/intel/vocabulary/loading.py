"""Read the bundled data files."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files
from typing import Any


def read_bytes(name: str) -> bytes:
    """Return a bundled file's bytes."""
    return (files("hinomi.intel.vocabulary") / name).read_bytes()


def read_lines(name: str) -> list[str]:
    """Return the lines of a bundled text file (`.gz` is unpacked) but comments and blanks."""
    data = read_bytes(name)
    text = (gzip.decompress(data) if name.endswith(".gz") else data).decode()
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def read_yaml(name: str) -> Any:
    """Return a bundled YAML file's content, by the fast loader where PyYAML has it."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(read_bytes(name), Loader=loader)


@cache
def _stopword_table() -> dict[str, frozenset[str]]:
    return {kind: frozenset(str(words).split()) for kind, words in read_yaml("stopwords.yml").items()}


def stopwords(kind: str) -> frozenset[str]:
    """Return the words that are kept from being a name of one kind (keys of `stopwords.yml`)."""
    return _stopword_table()[kind]

"""Types are told by content: made by the tools and libraries that own the formats, not by copied bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import plistlib
import sqlite3
import struct
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.content_types import CONTENT_TYPES, content_type


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "content")
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("member"))
    return buffer.getvalue()


def database(tmp_path: Path) -> bytes:
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table t (a)")
    connection.close()
    return path.read_bytes()


MZ_ONLY = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"NE\0\0" + bytes(100)
PORTABLE = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(100)
SJIS = "火の見櫓から町を見守る。\r\n".encode("cp932")
OFFICE = "application/vnd.openxmlformats-officedocument."
CASES = [
    (b"", "inode/x-empty"),
    (Path(sys.executable).resolve().read_bytes()[:4096], "application/x-elf"),
    (PORTABLE, "application/vnd.microsoft.portable-executable"),
    (MZ_ONLY, "application/x-dosexec"),
    (b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(50), "application/java-vm"),
    (b"\xca\xfe\xba\xbe\0\0\0\x02" + bytes(50), "application/x-mach-binary"),
    (b"\xcf\xfa\xed\xfe" + bytes(50), "application/x-mach-binary"),
    (b"#!/bin/sh\nexit 0\n", "text/x-shellscript"),
    (b"#! /usr/bin/env -S bash -e\n", "text/x-shellscript"),
    (b"#!/usr/bin/env python3.11\n", "text/x-python"),
    (b"#!/opt/strange/lang\n", "text/x-script"),
    (zipped("a.txt"), "application/zip"),
    (zipped("META-INF/MANIFEST.MF", "A.class"), "application/java-archive"),
    (zipped("[Content_Types].xml", "xl/workbook.xml"), OFFICE + "spreadsheetml.sheet"),
    (zipped("[Content_Types].xml", "word/document.xml"), OFFICE + "wordprocessingml.document"),
    (tarred(), "application/x-tar"),
    (gzip.compress(b"x"), "application/gzip"),
    (bz2.compress(b"x"), "application/x-bzip2"),
    (lzma.compress(b"x"), "application/x-xz"),
    (b"070701" + b"0" * 104, "application/x-cpio"),
    (b"!<arch>\ndebian-binary   ", "application/vnd.debian.binary-package"),
    (b"!<arch>\nfoo.o/          ", "application/x-archive"),
    (bytes(1080) + b"\x53\xef" + bytes(100), "application/x-ext-filesystem"),
    (b"%PDF-1.7\n", "application/pdf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "application/x-ole-storage"),
    (b"-----BEGIN CERTIFICATE-----\n", "application/x-pem-file"),
    (plistlib.dumps({"Label": "x"}), "application/x-plist"),
    (plistlib.dumps({"Label": "x"}, fmt=plistlib.FMT_BINARY), "application/x-bplist"),
    (b'{"name": "x", "scripts": {}}', "application/json"),
    (b"[1, 2]", "application/json"),
    (b"[Unit]\nDescription=x\n", "text/plain"),
    (b"<?xml version='1.0'?><a/>", "application/xml"),
    (b"<!DOCTYPE html>\n<html>", "text/html"),
    (b"From: a@b\nTo: c@d\nSubject: x\n\nhello", "message/rfc822"),
    (b"From: the makers\n\nof this text\n", "text/plain"),
    ("火の見\n".encode(), "text/plain"),
    (SJIS, "text/plain"),
    ("火の見櫓\n".encode("euc_jp"), "text/plain"),
    ("火の見櫓\n".encode("iso2022_jp"), "text/plain"),
    ("火の見\n".encode("utf-16"), "text/plain"),
    ("déjà vu, naïve café\n".encode("latin-1"), "text/plain"),
    (bytes(range(256)), "application/octet-stream"),
]  # fmt: skip


@pytest.mark.parametrize(("head", "expected"), CASES, ids=[f"{i}-{name}" for i, (_, name) in enumerate(CASES)])
def test_types(head: bytes, expected: str) -> None:
    assert content_type(head[:4096]) == expected


def test_sqlite(tmp_path: Path) -> None:
    assert content_type(database(tmp_path)[:4096]) == "application/vnd.sqlite3"


def test_text_cut_inside_a_character_is_text() -> None:
    assert content_type(("a" + "見" * 2000).encode()[:4096]) == "text/plain"


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.one_of(
        st.binary(max_size=300), st.builds(lambda a, b: a[:40] + b, st.sampled_from([c[0] for c in CASES]), st.binary())
    )
)
def test_anything_has_a_type(head: bytes) -> None:
    name = content_type(head)
    assert name in CONTENT_TYPES or name.startswith("application/")

"""Accounts named without quotes: a word right behind `account` or アカウント that no one would use in prose."""

from __future__ import annotations

import re

ACCOUNT = re.compile(
    r"(?:\b(?i:account|user ?name|user) |(?:アカウント|ユーザー?)名? ?)"
    r"(?P<x>(?=[A-Za-z0-9.-]{0,24}[_$]|[a-z]{2,16}\d)[A-Za-z][A-Za-z0-9_.$-]{1,30}[A-Za-z0-9$])(?![A-Za-z0-9_@/\\-])"
)
"""The name is group `x`: with an underscore or a dollar sign, or small letters that end in digits."""

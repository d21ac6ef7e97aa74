"""E-mail addresses, plain or defanged."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.intel.extractor import Candidate
from hinomi.intel.indicators.hosts import is_documentation_host, is_host
from hinomi.intel.indicators.roles import network_role
from hinomi.intel.indicators.scan import Scan

_LOCAL = re.compile(r"[A-Za-z0-9_.+%$=~-]{1,64}$")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


class _Email:
    name = "email"
    order = 20

    def find(self, scan: Scan) -> Iterator[Candidate]:
        for place in scan.words("@"):
            domain = _DOMAIN.match(scan.text, place + 1, place + 254)
            if domain is None or scan.taken(place, place + 1):
                continue
            host = domain.group().lower().rstrip(".-")
            local = _LOCAL.search(scan.text, max(0, place - 64), place)
            if local is None or not (is_host(host) or is_documentation_host(host)):
                continue
            start, end = place - len(local.group().lstrip(".-%=")), place + 1 + len(host)
            if start == place:
                continue
            scan.take(start, end)
            role, confidence, why = network_role(scan, start, end, host)
            value = scan.text[start:place] + "@" + host
            yield scan.candidate("email", value, start, end, role=role, confidence=confidence, why=why)


FAMILY = _Email()

"""Readers of others, run as programs of their own and only when asked for: what nothing here opens may open there.

None of them is imported or shipped: unblob is MIT but pulls in GPL programs, dissect is AGPL-3.0-or-later. `driver.py`
is our own text, which only dissect's interpreter runs.
"""

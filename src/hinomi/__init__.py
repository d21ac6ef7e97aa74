"""Hinomi (火の見): from a threat report to a verdict, offline and with evidence."""

__version__ = "0.1.0"

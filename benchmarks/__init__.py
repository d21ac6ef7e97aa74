"""Measurements beside the peers that are installed; `make bench`."""

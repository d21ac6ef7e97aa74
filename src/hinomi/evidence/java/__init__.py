"""Reads Java classes' constant pools and decides, per copy, what a Log4j found by its content is open to."""

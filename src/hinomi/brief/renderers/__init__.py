"""One file per output format; each has `render(document, language) -> str`."""

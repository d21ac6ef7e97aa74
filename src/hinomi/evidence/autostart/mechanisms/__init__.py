"""One module per mechanism; each defines `find(site: Site) -> Iterator[Persistence]`."""

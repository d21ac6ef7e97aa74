"""Target -> rows: sources (live, root) and collectors (one file each), joined by one content pipeline."""

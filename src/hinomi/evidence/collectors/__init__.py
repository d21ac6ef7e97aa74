"""One file per collector; a new file here is found by itself (see `hinomi.evidence.collector.load_collectors`)."""

"""Every attribute of every entry, as a baseline keeps them: faster than a scan, because nothing is parsed."""

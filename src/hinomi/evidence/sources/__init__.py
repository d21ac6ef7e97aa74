"""Ways to reach a target's files; each gives a `FileSystemView`."""

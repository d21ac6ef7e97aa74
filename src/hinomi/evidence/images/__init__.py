"""File systems, archives and firmware read in place: each gives a tree of nodes whose content is read on demand."""

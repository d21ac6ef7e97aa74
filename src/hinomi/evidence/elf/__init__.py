"""ELF files read within bounds: structure (`layout`, `symbols`) and what their data says (`strings`)."""

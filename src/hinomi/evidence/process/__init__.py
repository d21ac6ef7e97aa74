"""/proc as we read it: processes, their memory maps, and sockets."""

"""One module per reason that a difference may have; each says what it verifies."""

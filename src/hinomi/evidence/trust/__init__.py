"""Who vouches for what: release statements, lists of digests, signers, and the scripts that check them."""

"""PowerShell: the tree is walked, constants are resolved through the usual disguises, actions recorded; nothing is run."""

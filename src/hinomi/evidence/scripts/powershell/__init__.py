"""PowerShell: the tree is walked, constants resolved through the usual disguises, actions recorded."""

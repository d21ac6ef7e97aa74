"""An abstract interpreter for shell scripts: walks the syntax tree, resolves constants, records actions; runs nothing."""

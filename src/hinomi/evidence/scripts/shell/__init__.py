"""An abstract interpreter for shell: walks the tree, resolves constants, records actions; runs nothing."""

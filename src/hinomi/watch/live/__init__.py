"""What the kernel says while it happens: file changes with who made them, process life, mounts."""

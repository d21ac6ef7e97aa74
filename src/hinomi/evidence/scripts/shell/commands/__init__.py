"""What each command does, one module per field; registered by `@handles`."""

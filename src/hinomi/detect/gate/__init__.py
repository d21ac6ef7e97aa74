"""What must stand in a file before a YARA rule can match it: most files are told apart without asking the engine."""

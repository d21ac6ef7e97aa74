"""Change over time: what is different between two looks at one target."""

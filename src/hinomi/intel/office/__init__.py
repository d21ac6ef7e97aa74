"""What Word, Excel, PowerPoint and OpenDocument files say, as lines: one module a kind over one bounded package."""

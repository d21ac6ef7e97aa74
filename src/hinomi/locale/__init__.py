"""Words on screen, Japanese and English, through one catalogue."""

"""ATT&CK techniques: a small linear model that ranks them for English sentences, and the v18-v19 crosswalk."""

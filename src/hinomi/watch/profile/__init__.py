"""What a host usually runs, learned from its looks: the profile, its seal, and what a later look has that it lacks."""

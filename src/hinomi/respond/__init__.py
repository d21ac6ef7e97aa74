"""Finding -> guided clean-up: playbooks and the plan made of them."""

"""Who may log in: the formats of account, password, group and sudo files."""

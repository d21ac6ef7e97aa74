"""Reports in the formats that other tools take: STIX 2.1, MISP, CSV, ATT&CK Navigator."""

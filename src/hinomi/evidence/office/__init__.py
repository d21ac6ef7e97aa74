"""Office documents: containers, VBA projects (MS-OVBA), Excel 4.0 macro sheets, and what macro text does."""

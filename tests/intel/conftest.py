"""Documents that several tests read are modules beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("samples")))

"""``python -m surf_data`` is ``surf-data``."""

import sys

from surf_data.cli import main

sys.exit(main())

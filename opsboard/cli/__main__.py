"""`python -m opsboard.cli` is the `opsboard` command."""

import sys

from opsboard.cli.main import main

sys.exit(main())

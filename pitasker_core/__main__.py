"""`python -m pitasker_core`: the command line."""

import sys

from pitasker_core.cli import main

sys.exit(main())

"""``python -m switchrank`` is the ``switchrank`` command."""

import sys

from switchrank.cli import main

sys.exit(main())

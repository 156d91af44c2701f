"""`python -m scenarios.lab.commands`."""

import sys

from scenarios.lab.start import main

if __name__ == "__main__":
    sys.exit(main())

"""`python -m blitz` is the same as `python run.py`, for an installed package."""

import sys

from blitz.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Scores a run: `integral-tf evaluate`."""

import sys

from integral_tf import commands

if __name__ == "__main__":
    sys.exit(commands.main(["evaluate", *sys.argv[1:]]))

"""Reproduces a table or a figure of the paper: `integral-tf reproduce`."""

import sys

from integral_tf import commands

if __name__ == "__main__":
    sys.exit(commands.main(["reproduce", *sys.argv[1:]]))

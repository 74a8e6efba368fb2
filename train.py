"""Trains one model by a method of the paper: `integral-tf train`."""

import sys

from integral_tf import commands

if __name__ == "__main__":
    sys.exit(commands.main(["train", *sys.argv[1:]]))

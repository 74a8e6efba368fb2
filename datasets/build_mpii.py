"""Builds a folder of records: `integral-tf build-mpii`."""

import sys

from integral_tf import commands

if __name__ == "__main__":
    sys.exit(commands.main(["build-mpii", *sys.argv[1:]]))

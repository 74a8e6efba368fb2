"""Builds a folder of records: `integral-tf build-synthetic`."""

import sys

from integral_tf import commands

if __name__ == "__main__":
    sys.exit(commands.main(["build-synthetic", *sys.argv[1:]]))

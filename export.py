"""Exports a run for servers and other runtimes: `integral-tf export`."""

import sys

from integral_tf import commands

if __name__ == "__main__":
    sys.exit(commands.main(["export", *sys.argv[1:]]))

"""Asks a server what the exporter asked: `integral-tf replay`."""

import sys

from integral_tf import commands

if __name__ == "__main__":
    sys.exit(commands.main(["replay", *sys.argv[1:]]))

"""Writes an HTML page that shows records: `integral-tf browse`."""

import sys

from integral_tf import commands

if __name__ == "__main__":
    sys.exit(commands.main(["browse", *sys.argv[1:]]))

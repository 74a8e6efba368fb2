"""Builds a folder of records: `integral-tf build-lsp`."""

import sys

from integral_tf import commands

if __name__ == "__main__":
    sys.exit(commands.main(["build-lsp", *sys.argv[1:]]))

"""Builds a folder of records: `integral-tf build-coco`."""

import sys

from integral_tf import commands

if __name__ == "__main__":
    sys.exit(commands.main(["build-coco", *sys.argv[1:]]))

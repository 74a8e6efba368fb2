"""Draws the joints on photographs or a video: `integral-tf predict`."""

import sys

from integral_tf import commands

if __name__ == "__main__":
    sys.exit(commands.main(["predict", *sys.argv[1:]]))

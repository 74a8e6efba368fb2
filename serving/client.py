"""Asks TensorFlow Serving for the joints on pictures: `integral-tf client`."""

import sys

from integral_tf import commands

if __name__ == "__main__":
    sys.exit(commands.main(["client", *sys.argv[1:]]))

"""Makes a run of a PyTorch checkpoint: `integral-tf import`."""

import sys

from integral_tf import commands

if __name__ == "__main__":
    sys.exit(commands.main(["import", *sys.argv[1:]]))

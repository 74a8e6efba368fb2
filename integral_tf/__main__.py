"""`python -m integral_tf NAME --flags` is `integral-tf NAME --flags`."""

import sys

from integral_tf import commands

if __name__ == "__main__":
    sys.exit(commands.main())

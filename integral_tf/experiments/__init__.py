"""The paper's tables and figures, as runs of the commands."""

"""Reproduces the paper's tables and figures by runs of the commands."""

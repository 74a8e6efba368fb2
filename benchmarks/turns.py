"""Shared by the benchmarks: calls in turns, their spread, the machine."""

import os
import pathlib
import platform
import statistics
import sys
import time


def cpu_seconds(calls, repeats):
    """Measures CPU seconds of this process for each call, in turns.

    Args:
        calls: Name -> function without arguments, which has run once already.
        repeats: Number of turns.

    Returns:
        Name -> list of `repeats` seconds.
    """
    times = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.process_time()
            call()
            times[name].append(time.process_time() - start)
    return times


def ratios(ours, theirs):
    """The ratios `ours / theirs`, turn by turn."""
    return [a / b for a, b in zip(ours, theirs, strict=True)]


def spread(values, form):
    """`median (least-most)`; empty without values."""
    if not values:
        return ""
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"{middle:{form}} ({least:{form}}-{most:{form}})"


def machine(libraries, threads=None):
    """A line with the processor, its cores, and the versions of libraries.

    Args:
        libraries: Name of a library -> name of its module; only imported
            modules are listed.
        threads: Number of threads of each side, if the benchmark sets it.
    """
    info = pathlib.Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(": ")[1] for line in lines if "model name" in line]
    parts = [names[0] if names else platform.processor()]
    parts.append(f"{os.cpu_count()} cores")
    if threads:
        parts.append(f"threads of each side: {threads}")
    versions = [f"Python {platform.python_version()}"]
    versions += [
        f"{name} {sys.modules[module].__version__}"
        for name, module in libraries.items()
        if module in sys.modules
    ]
    return f"{', '.join(parts)}; {', '.join(versions)}"

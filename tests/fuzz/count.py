"""Counts a reader's answers to many damaged files, for docs/reliability.md.

    python -m tests.fuzz.count OUT [--inputs=1000000] [--readers=png,coco]

Each reader has a part of the inputs, after its `weight`. Parts are read in a
process of their own: one that crashes, hangs or takes too much memory is
counted, and the next one goes on after that file. A file is a function of the
reader's name and the file's number; files that went wrong are kept in OUT, with
the answer beside them, and so are the counts: the same command goes on.
"""

import argparse
import collections
import contextlib
import gc
import json
import mmap
import os
import pathlib
import random
import resource
import shutil
import signal
import struct
import tempfile
import time
import traceback
import warnings

from tests.fuzz import readers

FOLDER = "/dev/shm" if os.path.isdir("/dev/shm") else None
ANSWERS = ("read", "refused", "unclear", "traceback", "wrong", "memory", "hang")
SECONDS = 20  # of the processor, for one file
PATIENCE = 600  # seconds after which a file that waits for something hangs
# Bytes beyond which memory is an answer of its own. A WebP of 56 bytes may have
# `photographs.LARGEST` pixels, which its decoder holds twice.
LARGEST = 2**31
SPACE = 2**33  # bytes that a part's process may ask for
PARTS = 12  # of a reader's files; memory is compared within one
_SHARED = struct.Struct(f"<q{len(ANSWERS)}qqqd")
_GOOD = ("read", "refused")


class Hang(BaseException):
    """A file takes more than SECONDS."""


def damaged(name, example, number):
    """The content of a reader's file of this number."""
    source = random.Random(f"{name} {number}")
    return readers.READERS[name].damaged(example, source)


def answer(reader, folder, data):
    """One of `ANSWERS`, and what was answered."""
    (folder / reader.file).write_bytes(data)
    before = _most_memory()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                found = reader.read(folder)
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
    except Hang:
        return "hang", traceback.format_exc()
    except BaseException as error:
        if _most_memory() - before > LARGEST or _is_of_memory(error):
            return "memory", traceback.format_exc()
        reason = readers.refused(error, folder)
        if not reason:
            return "refused", ""
        is_sentence = isinstance(error, readers.CLEAN)
        kind = "unclear" if is_sentence else "traceback"
        return kind, f"{reason}\n{traceback.format_exc()}"
    if _most_memory() - before > LARGEST:
        return "memory", "read"
    return ("wrong", repr(found)) if found else ("read", "")


class Shared:
    """What a part's process tells its parent, also if it crashes."""

    def __init__(self):
        self._map = mmap.mmap(-1, _SHARED.size)

    def write(self, number, counts, memory, last):
        row = [counts[name] for name in ANSWERS]
        values = (number, *row, memory, last, time.monotonic())
        self._map[:] = _SHARED.pack(*values)

    def read(self):
        """The number that is read now, counts, memory early and late, time."""
        number, *row, early, late, then = _SHARED.unpack(self._map[:])
        return number, dict(zip(ANSWERS, row)), early, late, then


def part(name, first, count, out, shared):
    """Reads a part of a reader's files; runs in a process of its own."""
    signal.signal(signal.SIGPROF, _hang)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    with open("/proc/self/statm") as file:
        space = int(file.read().split()[0]) * resource.getpagesize() + SPACE
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    reader = readers.READERS[name]
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="fuzz-") as folder:
        folder = pathlib.Path(folder)
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder.parent)
        # Some examples take seconds to make.
        kept = out / "examples" / name
        if not kept.is_dir():
            reader.write(folder)
            shutil.copytree(folder, kept)
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        example = (folder / reader.file).read_bytes()
        reader.read(folder)  # what is loaded or traced once counts for no file
        counts, early = collections.Counter(), 0
        for number in range(first, first + count):
            shared.write(number, counts, early, _memory())
            data = damaged(name, example, number)
            kind, text = answer(reader, folder, data)
            counts[kind] += 1
            if kind not in _GOOD:
                keep(out, name, number, kind, data, text)
            if number - first == count // 4:
                gc.collect()
                early = _memory()
        gc.collect()
        shared.write(first + count, counts, early, _memory())


def keep(out, name, number, kind, data, text):
    """Keeps a file that went wrong, and the answer, if there are not many."""
    folder = out / "wrong" / name
    folder.mkdir(parents=True, exist_ok=True)
    if len(list(folder.glob(f"{kind}-*"))) < 100:
        (folder / f"{kind}-{number}").write_bytes(data)
        (folder / f"{kind}-{number}.txt").write_text(
            text, errors="backslashreplace"
        )


def run(name, first, count, out):
    """Reads a part in a process; returns its counts, to add up."""
    shared, start = Shared(), time.monotonic()
    shared.write(first, collections.Counter(), 0, 0)
    pid = os.fork()
    if pid == 0:
        status = 1
        with contextlib.suppress(BaseException):
            part(name, first, count, out, shared)
            status = 0
        os._exit(status)
    ended = killed = 0
    while not ended:
        time.sleep(0.05)
        ended, status = os.waitpid(pid, os.WNOHANG)
        *_, then = shared.read()
        if not ended and time.monotonic() - then > PATIENCE:
            os.kill(pid, signal.SIGKILL)
            killed = 1
    number, row, early, late, _ = shared.read()
    done = collections.Counter(row)
    if status:
        kind = "hang" if killed else "crash"
        done[kind] += 1
        number += 1
        (out / "wrong" / name).mkdir(parents=True, exist_ok=True)
        with open(out / "wrong" / name / f"{kind}.txt", "a") as file:
            file.write(f"{number - 1}: status {status}\n")
    done["inputs"] = number - first
    done["seconds"] = time.monotonic() - start
    return done, max(late - early, 0) if early else 0


def main():
    """Reads what is left, part by part, and writes OUT/table.md after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--readers", default=",".join(readers.READERS))
    asked = parser.parse_args()
    names = asked.readers.split(",")
    asked.out.mkdir(parents=True, exist_ok=True)
    file = asked.out / "counts.json"
    counts = json.loads(file.read_text()) if file.exists() else {}
    every = sum(reader.weight for reader in readers.READERS.values())
    wanted = {
        name: -(-asked.inputs * readers.READERS[name].weight // every)
        for name in names
    }
    while True:
        done = {name: counts.get(name, {}).get("inputs", 0) for name in names}
        name = min(names, key=lambda name: done[name] / wanted[name])
        if done[name] >= wanted[name]:
            break
        size = min(-(-wanted[name] // PARTS), wanted[name] - done[name])
        more, growth = run(name, done[name], size, asked.out)
        row = counts.setdefault(name, {})
        for key, value in more.items():
            row[key] = row.get(key, 0) + value
        row["growth"] = max(row.get("growth", 0), growth)
        file.write_text(json.dumps(counts, indent=1))
        (asked.out / "table.md").write_text(table(counts))
    print(table(counts))


def table(counts):
    """The counts as a Markdown table."""
    columns = (*ANSWERS, "crash")
    lines = [
        f"| Reader | files | {' | '.join(columns)} | growth, MB |",
        "|---" * (len(columns) + 3) + "|",
    ]
    total = collections.Counter()
    for name, row in [*sorted(counts.items()), ("**all**", total)]:
        cells = [f"{row.get(key, 0):,}" for key in ("inputs", *columns)]
        growth = f"{row.get('growth', 0) / 2**20:.0f}"
        lines.append(f"| {name} | {' | '.join(cells)} | {growth} |")
        if row is not total:
            for key, value in row.items():
                most = max(total[key], value)
                total[key] = most if key == "growth" else total[key] + value
    return "\n".join(lines) + "\n"


def _hang(*_):
    raise Hang


def _is_of_memory(error):
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__context__
    return False


def _memory():
    """Resident bytes of this process now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def _most_memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()

"""Damages files at random, by their bytes and by what is in them.

Every function takes the content of a file and a source of random numbers, and
returns the content of a damaged file. Where a format has checksums, some files
have the right ones: their damage is in the values.
"""

import io
import json
import random as of_python
import re
import struct
import zipfile
import zlib
from collections.abc import Callable

Random = of_python.Random
Damage = Callable[[bytes, Random], bytes]

LEAVES = [
    *(None, True, False, 0, -1, 1, 2, 0.5, -0.0, 1e308, -1e308, 1e39),
    *(2**31, 2**32, 2**53 + 1, 2**63, 2**64, 10**30, 10**400),
    *(float("nan"), float("inf"), -float("inf"), 5e-324),
    *("", "x", "nan", "1", "0x10", "../../etc/passwd", "/etc/passwd", "\0"),
    *("x" * 20_000, "é" * 300, "\ud800", "a\nb", ".", "..", "\\", "%s{}"),
]
KEYS = ("id", "name", "x", "")
TEXTS = (
    *("nan", "inf", "-inf", "1e400", "-1", "0", "9" * 400, "1e308", "2.5"),
    *("true", "None", "", '"', "'", "../../etc/passwd", "\0", "é", "\u2028"),
    *("x" * 20_000, "*a", "&a", "!!python/object:os.system", "<", "&lol;"),
    *("[" * 1000, "{" * 1000, "- " * 1000, "=", ",", ";", "--", "\t", "\r"),
)
_WORD = re.compile(r"-?[0-9]+(?:\.[0-9]+)?|[A-Za-z_]+|[^\w\s]")
_ENDS = (b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80")


def of_bytes(data: bytes, random: Random) -> bytes:
    """Some bytes are changed, removed, added or copied."""
    data = bytearray(data)
    for _ in range(random.choice([1, 1, 2, 4, 16])):
        if not data:
            break
        first = random.randrange(len(data))
        # Half of them in the header.
        first = min(first, random.choice([255, len(data)]))
        length = random.choice([1, 4, 64, 1024])
        match random.randrange(6):
            case 0:
                data[first] ^= 1 << random.randrange(8)
            case 1 if random.randrange(3) == 0:
                del data[first:]
            case 2:
                del data[first : first + length]
            case 3:
                data[first:first] = random.randbytes(random.randint(1, 8))
            case 4:
                there = random.randrange(len(data))
                data[there:there] = data[first : first + length]
            case _:
                data[first : first + 4] = random.choice(_ENDS)
    return bytes(data)


def of_json(data: bytes, random: Random) -> bytes:
    """One to three parts of a JSON are replaced or removed; or `of_bytes`."""
    if random.randrange(4) == 0:
        return of_bytes(data, random)
    value = json.loads(data)
    for _ in range(random.randint(1, 3)):
        value = _changed(value, random)
    text = json.dumps(value)
    if random.randrange(100) == 0:
        deep = random.choice([1000, 100_000])
        text = text.replace("1", "[" * deep + "]" * deep, 1)
    return text.encode("utf-8", "surrogatepass")


def of_text(data: bytes, random: Random) -> bytes:
    """Words and lines are replaced, removed or doubled; or `of_bytes`."""
    if random.randrange(3) == 0:
        return of_bytes(data, random)
    lines = data.decode().splitlines(keepends=True)
    for _ in range(random.choice([1, 1, 2, 4])):
        at = random.randrange(len(lines))
        match random.randrange(8):
            case 0 if len(lines) > 1:
                del lines[at]
            case 1:
                lines.insert(random.randrange(len(lines)), lines[at])
            case 2:
                other = random.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case _:
                words = list(_WORD.finditer(lines[at]))
                if words:
                    word = random.choice(words)
                    new = random.choice([*TEXTS, random.choice(words).group()])
                    line = lines[at]
                    line = line[: word.start()] + new + line[word.end() :]
                    lines[at] = line
    return "".join(lines).encode("utf-8", "surrogatepass")


def of_json_lines(data: bytes, random: Random) -> bytes:
    """One line of a file of JSON is damaged as `of_json`, or some as text."""
    if random.randrange(3) == 0:
        return of_text(data, random)
    lines = data.splitlines()
    at = random.randrange(len(lines))
    lines[at] = of_json(lines[at], random)
    return b"\n".join(lines)


def of_zip(data: bytes, random: Random) -> bytes:
    """A member of an archive is damaged, or lost; or `of_bytes`."""
    if random.randrange(3) == 0:
        return of_bytes(data, random)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = random.choice(list(members))
    if random.randrange(10) == 0:
        del members[name]
    elif name.endswith(".json"):
        members[name] = of_json(members[name], random)
    else:
        members[name] = of_bytes(members[name], random)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def of_png(data: bytes, random: Random) -> bytes:
    """A chunk is damaged, doubled or lost, and has its sum; or `of_bytes`."""
    if random.randrange(3) == 0:
        return of_bytes(data, random)
    chunks, at = [], 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        chunks.append(data[at + 4 : at + 8 + length])
        at += 12 + length
    at = random.randrange(len(chunks))
    match random.randrange(4):
        case 0:
            del chunks[at]
        case 1:
            chunks.insert(random.randrange(len(chunks)), chunks[at])
        case _:
            kind, content = chunks[at][:4], chunks[at][4:]
            chunks[at] = kind + of_bytes(content, random)
    return data[:8] + b"".join(
        struct.pack(">I", len(chunk) - 4)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    )


def of_safetensors(data: bytes, random: Random) -> bytes:
    """The header is damaged as JSON, with its length; or `of_bytes`."""
    if random.randrange(3) == 0:
        return of_bytes(data, random)
    length = int.from_bytes(data[:8], "little")
    header = of_json(data[8 : 8 + length], random)
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def _changed(value, random):
    """A JSON value of which one part is another, or is not there."""
    every = list(_places(value))
    path = random.choice(every)
    if not path:
        return _value(random) if random.randrange(10) == 0 else value
    parent = value
    for key in path[:-1]:
        parent = parent[key]
    match random.randrange(6):
        case 0:
            del parent[path[-1]]
        case 1 if isinstance(parent, list):
            parent.append(parent[path[-1]])
        case 2:
            parent[path[-1]] = _part(value, random.choice(every))
        case _:
            parent[path[-1]] = _value(random)
    return value


def _places(value, path=()):
    """Paths to every part of a JSON value."""
    yield path
    if isinstance(value, dict):
        parts = value.items()
    else:
        parts = enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from _places(part, (*path, key))


def _part(value, path):
    for key in path:
        value = value[key]
    return json.loads(json.dumps(value))


def _value(random, depth=0):
    kind = random.randrange(10)
    if depth < 3 and kind == 0:
        return [_value(random, depth + 1) for _ in range(random.randrange(4))]
    if depth < 3 and kind == 1:
        keys = random.sample(KEYS, random.randrange(3))
        return {key: _value(random, depth + 1) for key in keys}
    if kind == 2:
        return random.uniform(-1e3, 1e3)
    if kind == 3:
        return random.randint(-10, 100)
    return random.choice(LEAVES)

"""Reads files of torch.save and of safetensors with NumPy alone.

`torch.save` writes a pickle and the bytes of tensors. The unpickler here makes
only dicts, lists, numbers, strings and `Tensor`s. It never imports or calls
anything that a file names. A tensor's bytes are read by its `array`, so that an
optimizer's state in the same file is not read.

    zip       since PyTorch 1.6: data.pkl, and a member for each storage
    legacy    before: five pickles, then each storage's length and bytes
    safetensors   a header in JSON, then bytes
"""

import io
import json
import math
import os
import pathlib
import pickle
import pickletools
import zipfile

import numpy as np

# Endings of files that are taken for checkpoints.
ENDINGS = (".pth", ".pth.tar", ".pt", ".ckpt", ".safetensors")
# The first and the second pickle of the legacy form.
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_BFLOAT16 = "bfloat16"  # which NumPy lacks
_PUTS = ("PUT", "BINPUT", "LONG_BINPUT")  # a value gets a number
_TYPES = {
    "Float": "f4", "Double": "f8", "Half": "f2", "BFloat16": _BFLOAT16,
    "Long": "i8", "Int": "i4", "Short": "i2", "Char": "i1", "Byte": "u1",
    "Bool": "?",
}  # fmt: skip
_SAFE_TYPES = {
    "F64": "f8", "F32": "f4", "F16": "f2", "BF16": _BFLOAT16, "I64": "i8",
    "I32": "i4", "I16": "i2", "I8": "i1", "U8": "u1", "BOOL": "?",
}  # fmt: skip


def is_checkpoint(path: object) -> bool:
    """Whether a path has one of `ENDINGS`."""
    return isinstance(path, (str, os.PathLike)) and os.fspath(path).endswith(
        ENDINGS
    )


class _Fixed:
    """Base of classes whose attributes a pickle cannot set."""

    def __setstate__(self, state):
        pass


class Tensor(_Fixed):
    """A tensor whose bytes are not read yet.

    Attributes:
        shape: The tensor's shape, a tuple.
    """

    def __init__(self, storage, offset, shape, strides):
        self.storage, self.offset = storage, offset
        self.shape, self.strides = tuple(shape), tuple(strides)
        sides = (*self.shape, *self.strides, offset)
        if len(self.shape) != len(self.strides) or not all(
            type(side) is int and side >= 0 for side in sides
        ):
            raise ValueError("a tensor's sides are no whole numbers")
        # With strides of 0 a damaged file could ask for terabytes.
        if math.prod(self.shape) > storage.count - offset:
            raise ValueError("a tensor is larger than what it is a view of")

    def array(self) -> np.ndarray:
        """The values; bfloat16 as float32.

        Raises:
            ValueError: the file does not hold all values.
        """
        flat = self.storage.values()[self.offset :]
        reach = sum((n - 1) * s for n, s in zip(self.shape, self.strides))
        if 0 not in self.shape and reach >= len(flat):
            raise ValueError("a tensor reaches beyond what it is a view of")
        size = flat.itemsize
        view = np.lib.stride_tricks.as_strided(
            flat, self.shape, [step * size for step in self.strides]
        )
        if self.storage.type == _BFLOAT16:
            return (view.astype("u4") << 16).view("f4")
        return view.copy()


class _Storage(_Fixed):
    """`count` values of a type; the function `read` returns their bytes."""

    def __init__(self, type_, count, read):
        self.type, self.count, self.read = type_, count, read
        self.dtype = np.dtype("u2" if type_ == _BFLOAT16 else type_)

    def values(self):
        values = np.frombuffer(self.read(), self.dtype.newbyteorder("<"))
        if len(values) < self.count:
            raise ValueError("the file ends within a tensor")
        return values[: self.count]


class _Named(_Fixed):
    """Stands in for a function or class that a file names."""

    def __init__(self, make):
        self.make = make

    def __call__(self, *arguments):
        return self.make(*arguments)


class _Dict(_Fixed, dict):
    """A dict that ignores PyTorch's attribute `_metadata`."""


def read(path: str | os.PathLike, source: object = None) -> dict:
    """Reads a file of tensors, without the tensors' bytes.

    Args:
        path: Path of a file of `torch.save`, or of a `.safetensors` file.
        source: Name of the file in an error; None is its path.

    Returns:
        A dict of `Tensor`s by name, or of such dicts, and of plain values.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file has another form, is damaged, or names a class
            that is not a tensor's; the message gives this name.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            "A checkpoint is a file that torch.save wrote, or a .safetensors "
            f"one. Received: {str(path)!r}"
        )
    source = path if source is None else source
    try:
        if path.suffix == ".safetensors":
            held = _read_safetensors(path)
        elif zipfile.is_zipfile(path):
            held = _read_zip(path)
        else:
            held = _read_legacy(path)
    except _Refused as refused:
        raise ValueError(
            "A checkpoint is read only if it holds tensors and plain values, "
            "since making anything else could run code; where it comes from, "
            'save torch.save(checkpoint["state_dict"], file). '
            f"Received: {str(source)!r}, which asks for the class {refused}"
        ) from None
    except Exception as error:  # a damaged pickle has many
        raise _damaged(source, error) from None
    if not isinstance(held, dict):
        raise ValueError(
            "A checkpoint is a dict from names to tensors. "
            f"Received: {str(source)!r}, a {type(held).__name__}"
        )
    return held


def arrays(tensors: dict, source: object) -> dict:
    """Reads the values of a file's tensors; other values are returned as is.

    Args:
        tensors: The dict of `read`.
        source: Name of the file in an error.

    Raises:
        ValueError: the file does not hold a tensor's values.
    """
    try:
        return {
            name: each.array() if isinstance(each, Tensor) else each
            for name, each in tensors.items()
        }
    except Exception as error:
        raise _damaged(source, error) from None


def _damaged(path, error):
    reason = str(error).partition("\n")[0][:200] or type(error).__name__
    return ValueError(
        "A checkpoint is a whole file of torch.save or safetensors. "
        f"Received: {str(path)!r}: {reason}"
    )


class _Refused(Exception):
    """A file names a class that is not a tensor's; the text is its name."""


class _Unpickler(pickle.Unpickler):
    """Unpickles plain values and tensors.

    Args:
        file: The file, at the beginning of a pickle.
        storage: Function from `(type, key, count)` to a `_Storage`.
    """

    def __init__(self, file, storage=None):
        _check_sizes(file)
        super().__init__(file, encoding="utf-8")
        self.storage = storage

    def find_class(self, module, name):
        type_ = _TYPES.get(name.removesuffix("Storage"))
        if module == "torch" and type_ and name.endswith("Storage"):
            return type_
        if (module, name) not in _MADE:
            raise _Refused(f"{module}.{name}")
        return _Named(_MADE[module, name])

    def persistent_load(self, saved):
        kind, type_, key, _, count, *view = saved
        if kind != "storage" or type_ not in _TYPES.values():
            raise ValueError("it holds something else than storages")
        if any(view) or type(count) is not int or count < 0:
            raise ValueError("it holds views of storages")
        return self.storage(type_, str(key), count)


class _Within:
    """A file that makes no room for more bytes than it has."""

    def __init__(self, file):
        self.tell, self.readline, self._read = (
            file.tell,
            file.readline,
            file.read,
        )
        start = file.tell()
        self.end = file.seek(0, os.SEEK_END)
        file.seek(start)

    def read(self, count):
        return self._read(min(count, self.end - self.tell()))


def _check_sizes(file):
    """Refuses a pickle with sizes or numbers of values beyond its length.

    Python makes room for them first: 24 GB for one damaged byte.
    """
    start = file.tell()
    within = _Within(file)
    for opcode, number, place in pickletools.genops(within):
        if opcode.name in _PUTS and number > place - start:
            raise ValueError("a value's number is larger than the file")
        if opcode.name == "FRAME" and number > within.end - place:
            raise ValueError("a part is larger than the file")
    file.seek(start)


def _tensor(storage, offset, shape, strides, *_):
    if not isinstance(storage, _Storage):
        raise ValueError("a tensor without a storage")
    return Tensor(storage, offset, shape, strides)


def _nothing(*_):
    """Replaces values that are no weights: metrics, times, random states."""


# Names that a file may use, and the stand-in for each.
_MADE = {
    ("collections", "OrderedDict"): _Dict,
    ("torch", "Size"): tuple,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
    ("torch", "device"): _nothing,
    ("_codecs", "encode"): _nothing,
    ("numpy", "dtype"): lambda *_: _Named(_nothing),
    ("numpy.core.multiarray", "scalar"): _nothing,
    ("numpy._core.multiarray", "scalar"): _nothing,
}


def _read_zip(path):
    with zipfile.ZipFile(path) as archive:
        sizes = {each.filename: each.file_size for each in archive.infolist()}
        if any(each.compress_type for each in archive.infolist()):
            raise ValueError("torch.save compresses nothing, and this is")
        pickles = [name for name in sizes if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise ValueError("a zip archive without torch.save's data.pkl")
        folder = pickles[0].removesuffix("data.pkl")
        if sizes.get(f"{folder}byteorder"):
            if archive.read(f"{folder}byteorder") != b"little":
                raise ValueError("it was written on a big-endian machine")
        text = archive.read(pickles[0])

    def storage(type_, key, count):
        def read_member():
            with zipfile.ZipFile(path) as archive:
                return archive.read(f"{folder}data/{key}")

        return _Storage(type_, count, read_member)

    return _Unpickler(io.BytesIO(text), storage).load()


def _read_legacy(path):
    places = {}

    def storage(type_, key, count):
        def read_place():
            with open(path, "rb") as file:
                start, length = places[key]
                file.seek(start)
                return file.read(min(length, path.stat().st_size))

        return places.setdefault(key, _Storage(type_, count, read_place))

    with open(path, "rb") as file:
        if _Unpickler(file).load() != _MAGIC:
            raise ValueError("neither a zip archive nor torch.save's pickles")
        if _Unpickler(file).load() != _PROTOCOL:
            raise ValueError("torch.save's pickles of an unknown version")
        _Unpickler(file).load()  # sizes of integers on the writing machine
        held = _Unpickler(file, storage).load()
        for key in _Unpickler(file).load():
            count = int.from_bytes(file.read(8), "little")
            length = count * places[key].dtype.itemsize
            places[key] = file.tell(), length
            file.seek(length, os.SEEK_CUR)
    return held


def _read_safetensors(path):
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > path.stat().st_size:
            raise ValueError("its header is longer than the file")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    held, room = {}, path.stat().st_size - 8 - length
    for name, fields in header.items():
        if fields["dtype"] not in _SAFE_TYPES:
            raise ValueError(f"{name} is of the type {fields['dtype']}")
        shape, (start, end) = fields["shape"], fields["data_offsets"]
        # A text times a number is a long text.
        if not all(type(side) is int for side in (*shape, start, end)):
            raise ValueError(f"{name} has sides that are no whole numbers")
        if not 0 <= start <= end <= room:
            raise ValueError(f"{name} is not within the file")

        def read_part(start=8 + length + start, length=end - start):
            with open(path, "rb") as file:
                file.seek(start)
                return file.read(length)

        count = math.prod(shape)
        strides = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
        storage = _Storage(_SAFE_TYPES[fields["dtype"]], count, read_part)
        held[name] = Tensor(storage, 0, shape, strides)
    return held

"""The files of torch.save, opcode by opcode, without PyTorch.

After what PyTorch 2 (zip) and 0.4 (legacy) write of a dict of tensors, but for
the memo, which only spares bytes.
"""

import io
import pickle
import struct
import zipfile

import numpy as np

STORAGES = {"f4": "Float", "f8": "Double", "f2": "Half", "i8": "Long"}


class Named:
    """Pickled as a name that is called: `module.name(*arguments)`."""

    def __init__(self, module, name, *arguments):
        self.module, self.name, self.arguments = module, name, arguments


def save_zip(value, path, folder="archive"):
    """As `torch.save(value, path)`."""
    storages = {}
    text = pickled(value, storages)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(f"{folder}/data.pkl", text)
        archive.writestr(f"{folder}/byteorder", "little")
        for key, (_, data) in storages.items():
            archive.writestr(f"{folder}/data/{key}", data)
        archive.writestr(f"{folder}/version", "3\n")


def save_legacy(value, path):
    """As PyTorch before 1.6 did, in which Simple Baselines' are written."""
    storages = {}
    file = io.BytesIO()
    pickle.dump(0x1950A86A20F9469CFC6C, file, 2)
    pickle.dump(1001, file, 2)
    sizes = {"short": 2, "int": 4, "long": 4}
    system = {"protocol_version": 1001, "little_endian": True}
    pickle.dump({**system, "type_sizes": sizes}, file, 2)
    file.write(pickled(value, storages, legacy=True))
    # In the order of the keys, which are addresses: not that of the tensors.
    keys = sorted(storages, reverse=True)
    pickle.dump(keys, file, 2)
    for key in keys:
        count, data = storages[key]
        file.write(struct.pack("<q", count) + data)
    with open(path, "wb") as out:
        out.write(file.getvalue())


def pickled(value, storages, legacy=False):
    """A pickle of protocol 2; arrays become tensors of `storages`."""
    return b"\x80\x02" + _part(value, storages, legacy) + b"."


def _part(value, storages, legacy):
    def parts(values):
        return b"".join(_part(each, storages, legacy) for each in values)

    if value is None:
        return b"N"
    if isinstance(value, bool):
        return b"\x88" if value else b"\x89"
    if isinstance(value, int):
        data = value.to_bytes(9, "little", signed=True)
        return b"\x8a\x09" + data
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    if isinstance(value, str):
        data = value.encode()
        return b"X" + struct.pack("<I", len(data)) + data
    if isinstance(value, tuple):
        return b"(" + parts(value) + b"t"
    if isinstance(value, list):
        return b"](" + parts(value) + b"e"
    if isinstance(value, dict):
        # PyTorch's `_metadata` is an attribute of the dict.
        metadata = b"}" + _part("_metadata", storages, legacy) + b"}sb"
        made = _global("collections", "OrderedDict") + b")R"
        items = [each for pair in value.items() for each in pair]
        return made + b"(" + parts(items) + b"u" + metadata
    if isinstance(value, Named):
        name = _global(value.module, value.name)
        return name + parts([value.arguments]) + b"R"
    return _tensor(np.asarray(value), storages, legacy)


def _global(module, name):
    return b"c" + f"{module}\n{name}\n".encode()


def _tensor(array, storages, legacy):
    """`_rebuild_tensor_v2(storage, offset, shape, strides, False, {})`.

    A transposed array is a view of its base, with strides, as PyTorch has it.
    """
    base = array if array.base is None else array.base
    strides = tuple(step // array.itemsize for step in array.strides)
    key = str(len(storages) + 94000000 if legacy else len(storages))
    storages[key] = base.size, base.tobytes()
    kind = STORAGES[array.dtype.str[1:]]
    location = (*("cpu", base.size), *((None,) if legacy else ()))

    def part(value):
        return _part(value, storages, legacy)

    storage = b"(" + part("storage") + _global("torch", f"{kind}Storage")
    storage += b"".join(map(part, (key, *location))) + b"tQ"
    return (
        _global("torch._utils", "_rebuild_tensor_v2")
        + b"("
        + storage
        + b"".join(map(part, (0, array.shape, strides, False, {})))
        + b"tR"
    )

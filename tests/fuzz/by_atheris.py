"""Fuzzes one reader with atheris, by hand: coverage chooses the inputs.

    pip install atheris
    python -m tests.fuzz.by_atheris READER [libFuzzer's options]

READER is a name of `readers.READERS`. The inputs begin with the reader's
example and the files of tests/corpus/READER. An exception that is not one
sentence, or a complaint, ends the run; libFuzzer names the input's file, which
belongs into the corpus. A `.mat` is read in a process that atheris cannot see.
"""

import pathlib
import sys
import tempfile

import atheris

with atheris.instrument_imports(include=["integral_tf", "PIL", "json"]):
    from tests.fuzz import readers

CORPUS = pathlib.Path(__file__).parents[1] / "corpus"


def main(arguments):
    """Runs libFuzzer on the reader that the first argument names."""
    if len(arguments) < 2 or arguments[1] not in readers.READERS:
        raise SystemExit(f"READER is one of {', '.join(readers.READERS)}")
    name = arguments.pop(1)
    reader = readers.READERS[name]
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    reader.write(folder)
    seeds = folder.with_name(f"{folder.name}-seeds")
    seeds.mkdir()
    examples = [folder / reader.file, *(CORPUS / name).glob("*")]
    for number, path in enumerate(examples):
        (seeds / str(number)).write_bytes(path.read_bytes())

    def once(data):
        (folder / reader.file).write_bytes(data)
        try:
            found = reader.read(folder)
        except Exception as error:
            if readers.refused(error, folder):
                raise
        else:
            if found:
                raise AssertionError(found)

    atheris.Setup([*arguments, str(seeds)], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)

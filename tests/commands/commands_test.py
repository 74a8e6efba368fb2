"""Tests for what starts the commands: names, help, errors, quiet."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import types

import pytest

from integral_tf import commands
from integral_tf import config
from integral_tf import flagfiles
from integral_tf import whole
from integral_tf.commands import _help
from integral_tf.commands import _run
from integral_tf.training import interrupts
from integral_tf.training import trainer
from tests import full_disk
from tests import in_process

ROOT = pathlib.Path(__file__).parents[2]
# Fails where one of them was imported.
WITHOUT = """
import sys
from integral_tf import commands
status = commands.main(sys.argv[1:])
found = {"tensorflow", "keras", "numpy"} & set(sys.modules)
sys.exit(f"imported: {found}" if found else status)
"""


def process(*arguments, **more):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        **more,
    )


def test_the_commands_are_those_of_the_documentation():
    page = (ROOT / "docs" / "commands.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \| `integral-tf", page, re.MULTILINE)
    assert set(rows) == set(commands.COMMANDS)
    # Each example is read, though not run.
    for line in re.findall(r"`integral-tf ([a-z-]+ -?[^`]*=[^`]*)`", page):
        name, *arguments = line.split()
        module = commands.load(name)
        words = getattr(module, "arguments", list)(arguments)
        assert flagfiles.parse(module.CONFIG, words) != module.CONFIG()


def test_help_lists_every_command_with_what_it_does():
    done = in_process.run("--help")
    assert done.returncode == 0 and not done.stderr
    assert in_process.run().stdout == done.stdout
    for name in commands.COMMANDS:
        sentence = commands.load(name).__doc__.splitlines()[0]
        assert f"  {name:16s} {sentence}" in done.stdout
    assert in_process.run("--version").stdout.startswith("integral-tf 0.")


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_a_commands_help_has_the_main_flags_first(name):
    done = in_process.run(name, "--help")
    assert done.returncode == 0 and not done.stderr
    assert f"integral-tf {name}" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    head, _, others = done.stdout.partition("\nOthers:\n")
    for field in commands.load(name).CONFIG.__dataclass_fields__.values():
        where = head if field.metadata["main"] else others
        off = "no" if field.default is True else ""
        (line,) = re.findall(rf"^  --{off}{field.name}\b.*$", where, re.M)
        assert ("Required" in where[where.index(line) :][:120]) == (
            field.metadata["required"]
        ) or not field.metadata["required"]


def test_help_needs_no_tensorflow_and_may_be_cut(tmp_path):
    for arguments in ([], ["--help"], ["train", "--help"]):
        begun = time.monotonic()
        done = process("-c", WITHOUT, *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(("integral-tf COMMAND", "Trains one"))
        assert not done.stderr
        # A second, on a machine that is not busy.
        assert time.monotonic() - begun < 20
    done = process(
        "-c",
        "import os, subprocess, sys\n"
        "reads, writes = os.pipe()\n"
        "os.close(reads)  # as `| head` has, when it has seen enough\n"
        "command = [sys.executable, '-m', 'integral_tf', 'train', '--help']\n"
        "sys.exit(subprocess.run(command, stdout=writes).returncode)",
    )
    assert done.returncode == 1 and not done.stderr


def test_an_unknown_command_is_named():
    done = in_process.run("trian")
    assert done.returncode == 1
    assert done.stderr.startswith("integral-tf: the commands are train, ")
    assert done.stderr.endswith("Received: 'trian'\n")


@pytest.fixture
def failing(monkeypatch):
    """Makes `train` do what a test wants; returns its run."""

    def run(action):
        monkeypatch.setattr(trainer, "train", lambda _: action())
        return in_process.run("train", "--data=a", "--workdir=b")

    return run


def test_a_mistake_is_one_sentence(failing):
    def refuse():
        config.TrainConfig(epochs=-1)

    done = failing(refuse)
    assert done.returncode == 1
    *_, last = done.stderr.splitlines()
    assert last == (
        "train: --epochs is a whole number at least 0. Received: --epochs=-1"
    )
    done = failing(lambda: open("/nowhere/at/all"))
    assert done.stderr.splitlines()[-1] == (
        "train: No such file or directory. Received: '/nowhere/at/all'"
    )


def test_a_folder_that_is_read_only_is_one_sentence(failing, tmp_path):
    def write():
        with whole.folder(tmp_path / "disk" / "out"):
            pass

    with full_disk.read_only(tmp_path / "disk") as folder:
        done = failing(write)
        assert list(folder.iterdir()) == []
    assert done.returncode == 1
    assert re.fullmatch(
        r"train: (Read-only file system|Permission denied); name another path, "
        r"or change who may use this one\. Received: '.*/disk/\.?out.*'",
        done.stderr.splitlines()[-1],
    )


def interrupt(*text):
    raise KeyboardInterrupt(*text)


def test_an_interrupt_says_what_now(failing):
    done = failing(interrupt)
    assert done.returncode == 130  # as a shell says it: 128 + SIGINT
    assert done.stderr.splitlines()[-1] == (
        "train: interrupted; the same command goes on from the last checkpoint"
    )
    done = failing(lambda: interrupt("12 whole frames in out"))
    assert done.stderr.splitlines()[-1] == (
        "train: interrupted; 12 whole frames in out"
    )


def stop():
    raise interrupts.Interrupted("saved at epoch 3", signal.SIGTERM)


def test_a_training_that_was_stopped_says_where(failing):
    done = failing(stop)
    assert done.returncode == 143
    assert (
        done.stderr.splitlines()[-1] == "train: interrupted; saved at epoch 3"
    )


def test_a_command_that_is_told_to_end_cleans_up(failing, tmp_path):
    def told():
        with whole.folder(tmp_path / "out"):
            signal.raise_signal(signal.SIGTERM)
            time.sleep(10)

    before = signal.getsignal(signal.SIGTERM)
    done = failing(told)
    assert done.returncode == 143
    assert done.stderr.splitlines()[-1].startswith("train: interrupted; the sa")
    assert not list(tmp_path.iterdir())
    assert signal.getsignal(signal.SIGTERM) == before == signal.SIG_DFL


@pytest.mark.parametrize(
    "fault, kind",
    [
        (lambda: {}["missing"], KeyError),
        # A ValueError, too, that somebody else raises.
        (lambda: int("x"), ValueError),
        (lambda: __import__("numpy.no_such_module"), ImportError),
    ],
)
def test_a_fault_of_our_own_keeps_its_traceback(failing, fault, kind):
    with pytest.raises(kind):
        failing(fault)


def test_the_traceback_of_a_mistake_on_request(failing, monkeypatch):
    monkeypatch.setenv("INTEGRAL_TF_TRACEBACK", "1")
    with pytest.raises(ValueError, match="--epochs is"):
        failing(lambda: config.TrainConfig(epochs=-1))


def test_an_error_of_another_process_is_judged_by_its_own_frames():
    error = ValueError("of a worker")
    ours, others = f"{ROOT}/integral_tf/records/lsp.py", "/usr/lib/json.py"
    for file, line, said in (
        (ours, "raise ValueError(", "of a worker"),
        (ours, "x = int(y)", None),
        (others, "raise ValueError(", None),
    ):
        error.__cause__ = RuntimeError(
            f'\n  File "/a.py", line 1, in a\n    b()\n'
            f'  File "{file}", line 3, in it\n    {line}\nValueError: of a'
        )
        code = compile("raise error", "/x/concurrent/futures/_base.py", "exec")
        with pytest.raises(ValueError):
            exec(code, {"error": error})
        assert _run.sentence(error) == said
        error.__traceback__ = None


def test_flags_of_types_read_well():
    fields = {
        field.name: _help._flag(field)
        for field in config.TrainConfig.__dataclass_fields__.values()
    }
    assert fields["flip"].startswith("  --noflip ")
    assert fields["jit_compile"].startswith("  --jit_compile ")
    assert fields["epochs"].startswith("  --epochs=140 ")
    assert "One of L1, L2, OKS, gaussian, laplace, sampling." in " ".join(
        fields["joint_loss"].split()
    )


def test_uses_may_depend_on_the_model(tmp_path):
    predict = commands.load("predict")
    for name, uses in (
        ("m.onnx", "python"),
        ("m.tflite", "python"),
        ("m.plan", "python"),
        ("model.keras", "tensorflow"),
        ("run", "tensorflow"),
    ):
        asked = types.SimpleNamespace(model=str(tmp_path / name))
        assert predict.uses(asked) == uses
    (tmp_path / "model.xml").touch()
    asked = types.SimpleNamespace(model=str(tmp_path))
    assert predict.uses(asked) == "python"


def test_a_killed_command_leaves_no_process(tmp_path):
    # Its filter reads until the command is gone, whatever it died of.
    code = (
        "import os\n"
        "from integral_tf.commands import _quiet\n"
        "with _quiet.startup():\n"
        "    os.write(2, b'last words\\n')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    done = process("-c", code)
    assert done.returncode == -signal.SIGKILL
    assert done.stderr == "last words\n"


@pytest.mark.parametrize("backend", ["mxnet", "tensorflw"])
def test_a_backend_that_is_not_there_is_named(backend):
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = process(
        *("-m", "integral_tf", "predict", "photo.jpg"), env=environment
    )
    assert done.returncode == 1
    *_, line = done.stderr.splitlines()
    assert line.startswith("predict: Keras cannot start with the backend")
    assert f"Received: KERAS_BACKEND={backend}, " in line

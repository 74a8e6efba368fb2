"""Tests for the configuration and its flags."""

import dataclasses
import pathlib

import pytest
from absl import flags
from absl.testing import flagsaver

from integral_tf import config
from integral_tf import models

ROOT = pathlib.Path(__file__).parent.parent
PRESETS = sorted((ROOT / "experiments").glob("*.flags"))
ALL = (
    config.ModelConfig,
    config.TrainConfig,
    config.EvaluateConfig,
    config.PredictConfig,
    config.ExportConfig,
)


@pytest.fixture
def parse():
    """A function from a config class and arguments to a config."""

    def run(config_class, *arguments):
        config.define_flags(config_class)
        flags.FLAGS(["program", *arguments])
        return config.from_flags(config_class, flags.FLAGS)

    # Flags are the process's; this takes the new ones away afterwards.
    with flagsaver.flagsaver():
        yield run


def unlike_the_defaults(config_class):
    """A config that differs from the defaults in every field."""
    changed = {}
    for field in dataclasses.fields(config_class):
        default, choices = field.default, field.metadata["choices"]
        if choices:
            changed[field.name] = [c for c in choices if c != default][-1]
        elif isinstance(default, bool):
            changed[field.name] = not default
        elif isinstance(default, str):
            changed[field.name] = f"/a folder/{field.name}=1 # not a comment"
        else:
            changed[field.name] = default / 3 if default % 1 else default + 1
    return config_class(**changed)


@pytest.mark.parametrize("config_class", ALL)
def test_every_field_is_a_flag_with_its_default(parse, config_class):
    assert parse(config_class) == config_class()
    for field in dataclasses.fields(config_class):
        flag = flags.FLAGS[field.name]
        assert flag.default == field.default
        assert field.metadata["doc"] in flag.help
        assert type(flag.value) is type(field.default)


def test_flags_are_parsed_into_their_types(parse):
    parsed = parse(
        config.TrainConfig,
        "--method=I*",
        "--batch_size=32",
        "--learning_rate=1e-4",
        "--noflip",
        "--data=runs/i1",
    )
    assert parsed == config.TrainConfig(
        method="I*",
        batch_size=32,
        learning_rate=1e-4,
        flip=False,
        data="runs/i1",
    )


@pytest.mark.parametrize("config_class", ALL)
@pytest.mark.parametrize("make", [lambda c: c(), unlike_the_defaults])
def test_a_written_flagfile_repeats_the_run(
    parse, tmp_path, config_class, make
):
    written, path = make(config_class), tmp_path / "flags.cfg"
    config.write_flagfile(written, path)
    assert parse(config_class, f"--flagfile={path}") == written
    assert config.read_flagfile(config_class, path) == written


def test_a_flagfile_may_leave_flags_out(tmp_path):
    path = tmp_path / "flags.cfg"
    path.write_text("--method=H1\n\n--flip=false\n")
    assert config.read_flagfile(config.TrainConfig, path) == config.TrainConfig(
        method="H1", flip=False
    )


@pytest.mark.parametrize(
    "text, flip",
    [
        ("--flip=true", True),
        ("--flip=True", True),
        ("--flip=1", True),
        ("--flip", True),
        ("-flip=t", True),
        ("--flip=false", False),
        ("--flip=0", False),
        ("--noflip", False),
        ("# --noflip\n// --noflip\n  --flip  ", True),
        ("--noflip\n--flip", True),
    ],
)
def test_a_flagfile_is_read_as_absl_reads_it(parse, tmp_path, text, flip):
    path = tmp_path / "flags.cfg"
    path.write_text(text + "\n")
    assert config.read_flagfile(config.TrainConfig, path).flip is flip
    assert parse(config.TrainConfig, f"--flagfile={path}").flip is flip


def test_a_flagfile_may_include_another(tmp_path):
    (tmp_path / "small.flags").write_text("--seed=3\n--width=0.5\n")
    path = tmp_path / "flags.cfg"
    path.write_text(f"--flagfile={tmp_path / 'small.flags'}\n--seed=4\n")
    assert config.read_flagfile(config.TrainConfig, path) == config.TrainConfig(
        seed=4, width=0.5
    )


@pytest.mark.parametrize(
    "content, what",
    [
        (b"--method=H9\n", "method"),
        (b"--sigma=abc\n", "sigma"),
        (b"--batch_size=4.0\n", "batch_size"),
        (b"--flip=perhaps\n", "flip"),
        (b"--scale=nan\n", "--scale is .* Received: --scale=nan"),
        (b"--width\n", "width"),
        (b"--seed=\xff\n", "utf-8"),
        (b"--flagfile=nowhere.flags\n", "nowhere.flags"),
    ],
)
def test_a_damaged_flagfile_is_named_with_its_flag(tmp_path, content, what):
    path = tmp_path / "flags.cfg"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{path} is damaged: .*{what}"):
        config.read_flagfile(config.TrainConfig, path)


def test_a_line_that_is_no_flag_is_named(tmp_path):
    path = tmp_path / "flags.cfg"
    path.write_text("--method=H1\nflip\n")
    with pytest.raises(ValueError, match="flags.cfg.*Received: 'flip'"):
        config.read_flagfile(config.TrainConfig, path)


def test_a_flagfile_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="flags.cfg"):
        config.read_flagfile(config.TrainConfig, tmp_path / "flags.cfg")


NUMBERS = [
    pytest.param(
        config_class, field, id=f"{config_class.__name__}.{field.name}"
    )
    for config_class in ALL[1:]
    for field in dataclasses.fields(config_class)
    if type(field.default) in (int, float)
]


@pytest.mark.parametrize("config_class, field", NUMBERS)
def test_a_number_is_finite_and_in_its_range(config_class, field):
    wrong = [float("nan"), float("inf"), -float("inf"), "1", True, None]
    wrong += [1.5] if type(field.default) is int else []
    for name, bound in field.metadata["bounds"].items():
        least = 1 if type(field.default) is int else 1e-6
        outside = {"at least": -least, "at most": least}.get(name, 0)
        wrong.append(bound + outside)
        # The bound itself, or its neighbour, is allowed.
        inside = {"above": least, "below": -least}.get(name, 0)
        config_class(**{field.name: bound + inside})
    for value in wrong:
        with pytest.raises(
            ValueError, match=f"--{field.name} is .*: --{field.name}={value}"
        ):
            config_class(**{field.name: value})


@pytest.mark.parametrize(
    "flag",
    [
        "--learning_rate=-0.001", "--scale=nan", "--scale=2", "--rotation=nan",
        "--min_delta=nan", "--patience=-1", "--upsamplings=6",
        "--keep_checkpoints=0", "--seed=-1", "--width=nan", "--width=0",
        "--sigma=nan", "--beta=nan", "--beta=-1", "--heatmap_weight=-1",
        "--joint_weight=-1", "--checkpoint_steps=0", "--image_size=0",
        "--batch_size=0", "--stages=5", "--radius=0", "--negatives=-1",
        "--epochs=-1", "--final_epochs=-1", "--image_width=-32",
        "--head_channels=0", "--final_learning_rate=0", "--learning_rate=inf",
        # In float32 they are 0, infinite and 1.
        "--learning_rate=1e-50", "--learning_rate=1e39", "--scale=0.999999999",
        "--sigma=1e-30", "--radius=1e-20",
    ],
)  # fmt: skip
def test_flags_that_nothing_can_be_trained_with(parse, flag):
    with pytest.raises(ValueError, match="Received: --"):
        parse(config.TrainConfig, flag)


@pytest.mark.parametrize(
    "change", [{"flip": "yes"}, {"flip": 1}, {"data": "a\nb"}, {"method": "H9"}]
)
def test_other_values_are_of_their_kind(change):
    with pytest.raises(ValueError, match="Received: --"):
        config.TrainConfig(**change)


def test_an_unknown_line_is_named(tmp_path):
    path = tmp_path / "flags.cfg"
    path.write_text("--method=H1\n--gamma=3\n")
    with pytest.raises(ValueError, match="flags.cfg.*Received: '--gamma=3'"):
        config.read_flagfile(config.TrainConfig, path)


@pytest.mark.parametrize(
    "config_class, field",
    [
        pytest.param(config_class, field, id=field.name)
        for config_class in ALL
        for field in dataclasses.fields(config_class)
        if field.metadata["choices"]
    ],
)
def test_choices_are_enforced(parse, config_class, field):
    choices = field.metadata["choices"]
    assert field.default in choices
    for choice in choices:
        with flagsaver.flagsaver():
            parsed = parse(config_class, f"--{field.name}={choice}")
            assert getattr(parsed, field.name) == choice
    with pytest.raises(flags.IllegalFlagValueError, match="other"):
        parse(config_class, f"--{field.name}=other")


def test_every_method_has_a_network():
    for method in config.METHODS:
        model = models.pose_model(
            method, "resnet18", joints=2, image_size=32, width=1 / 32
        )
        assert model.output["joints"].shape == (None, 2, 2)


def test_a_config_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.TrainConfig().epochs = 3


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.name)
def test_presets_parse(parse, path):
    preset = parse(config.TrainConfig, f"--flagfile={path}")
    # A preset is a row of a table; where the data are is the user's affair.
    assert preset.data == preset.workdir == ""
    assert preset != config.TrainConfig()

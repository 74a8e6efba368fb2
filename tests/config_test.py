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

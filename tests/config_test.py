"""Tests for the configuration and its flags."""

import dataclasses
import importlib

import pytest
from absl import flags

from integral_tf import commands
from integral_tf import config
from integral_tf import flagfiles
from integral_tf import models

COMMANDS = [
    importlib.import_module(f"integral_tf.commands.{name}").CONFIG
    for name in commands.COMMANDS.values()
]
ALL = (config.ModelConfig, *COMMANDS)


@pytest.fixture
def parse():
    """A function from a config class and arguments to a config."""

    def run(config_class, *arguments):
        values = flagfiles.Values()
        flagfiles.define(config_class, values)
        _, *others = values(["program", *arguments])
        assert not others
        return flagfiles.made(config_class, values)

    return run


def unlike_the_defaults(config_class):
    """A config that differs from the defaults in every field."""
    changed = {}
    for field in dataclasses.fields(config_class):
        default, choices = field.default, field.metadata["choices"]
        if field.name == "backbone":
            changed[field.name] = "/a folder/backbone=1 # not a comment.keras"
        elif field.name == "method":
            changed[field.name] = "I*"  # which takes --compensate
        elif choices:
            changed[field.name] = [c for c in choices if c != default][-1]
        elif isinstance(default, bool):
            changed[field.name] = not default
        elif isinstance(default, str):
            changed[field.name] = f"/a folder/{field.name}=1 # not a comment"
        elif isinstance(default, float):
            changed[field.name] = default / 3 if default % 1 else default + 0.5
        else:
            changed[field.name] = default + 1
    return config_class(**changed)


@pytest.mark.parametrize("config_class", ALL)
def test_every_field_is_a_flag_with_its_default(parse, config_class):
    assert parse(config_class) == config_class()
    values = flagfiles.Values()
    flagfiles.define(config_class, values)
    for field in dataclasses.fields(config_class):
        flag = values[field.name]
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
    flagfiles.write(written, path)
    assert parse(config_class, f"--flagfile={path}") == written
    assert flagfiles.read(config_class, path) == written


def test_a_flagfile_may_leave_flags_out(tmp_path):
    path = tmp_path / "flags.cfg"
    path.write_text("--method=H1\n\n--flip=false\n")
    assert flagfiles.read(config.TrainConfig, path) == config.TrainConfig(
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
    assert flagfiles.read(config.TrainConfig, path).flip is flip
    assert parse(config.TrainConfig, f"--flagfile={path}").flip is flip


def test_a_flagfile_may_include_another(tmp_path):
    (tmp_path / "small.flags").write_text("--seed=3\n--width_multiplier=0.5\n")
    path = tmp_path / "flags.cfg"
    path.write_text(f"--flagfile={tmp_path / 'small.flags'}\n--seed=4\n")
    assert flagfiles.read(config.TrainConfig, path) == config.TrainConfig(
        seed=4, width_multiplier=0.5
    )


@pytest.mark.parametrize(
    "content, what",
    [
        (b"--method=H9\n", "method"),
        (b"--sigma=abc\n", "sigma"),
        (b"--batch_size=4.0\n", "batch_size"),
        (b"--flip=perhaps\n", "flip"),
        (b"--scale=nan\n", "--scale is .* Received: --scale=nan"),
        (b"--width_multiplier\n", "width"),
        (b"--seed=\xff\n", "utf-8"),
        (b"--flagfile=nowhere.flags\n", "nowhere.flags"),
        (b"--" + b"10" * 500 + b"\n", "too long to be the name"),
    ],
)
def test_a_damaged_flagfile_is_named_with_its_flag(tmp_path, content, what):
    path = tmp_path / "flags.cfg"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{path} is damaged: .*{what}"):
        flagfiles.read(config.TrainConfig, path)


def test_a_line_that_is_no_flag_is_named(tmp_path):
    path = tmp_path / "flags.cfg"
    path.write_text("--method=H1\nflip\n")
    with pytest.raises(ValueError, match="flags.cfg.*Received: 'flip'"):
        flagfiles.read(config.TrainConfig, path)


def test_a_flagfile_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="flags.cfg"):
        flagfiles.read(config.TrainConfig, tmp_path / "flags.cfg")


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
        "--keep_checkpoints=0", "--seed=-1", "--width_multiplier=nan",
        "--width_multiplier=0",
        "--sigma=nan", "--beta=nan", "--beta=-1", "--heatmap_weight=-1",
        "--joint_weight=-1", "--checkpoint_steps=0", "--image_size=0",
        "--batch_size=0", "--stages=5", "--radius=0", "--negatives=-1",
        "--epochs=-1", "--final_epochs=-2", "--image_width=-32",
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
        flagfiles.read(config.TrainConfig, path)


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
        parsed = parse(config_class, f"--{field.name}={choice}")
        # resnet50's own preprocessing, in a command of networks.
        expected = {"own": "caffe"}.get(choice, choice)
        assert getattr(parsed, field.name) == expected
    with pytest.raises(flags.IllegalFlagValueError, match="other"):
        parse(config_class, f"--{field.name}=other")


@pytest.mark.parametrize(
    "given, name, own",
    [
        ("resnet18", "resnet18", "caffe"),
        ("ResNet50", "resnet50", "caffe"),
        ("MOBILENETV3small", "MobileNetV3Small", "tf"),
        ("efficientnetv2s", "EfficientNetV2S", "tf_128"),
        ("efficientnet_lite0", "efficientnet_lite0", "lite"),
        ("runs/mine.keras", "runs/mine.keras", "none"),
    ],
)
def test_a_backbone_has_one_spelling_and_its_own_preprocessing(
    parse, given, name, own
):
    parsed = parse(config.ModelConfig, f"--backbone={given}")
    assert (parsed.backbone, parsed.preprocessing) == (name, own)
    other = config.ModelConfig(backbone=given, preprocessing="torch")
    assert other.preprocessing == "torch"


@pytest.mark.parametrize(
    "given, sentence",
    [
        ("mobilnetv3small", "are MobileNetV3Small, .*backbone='mobilnetv3sm"),
        ("convnext_tiny", "nearest names are ConvNeXtTiny"),
        ("42", "nearest names are resnet50, MobileNetV3Small"),
        ("InceptionV3", "unevenly. Received: backbone='InceptionV3'"),
    ],
)
def test_another_backbone_is_refused_with_the_nearest(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        config.ModelConfig(backbone=given)


def test_every_method_has_a_network():
    for method in config.METHODS:
        model = models.pose_model(
            method, "resnet18", joints=2, image_size=32, width_multiplier=1 / 32
        )
        assert model.output["joints"].shape == (None, 2, 2)


def test_a_config_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.TrainConfig().epochs = 3


@pytest.mark.parametrize("name", flagfiles.presets())
def test_presets_parse_from_any_folder(parse, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    preset = parse(config.TrainConfig, f"--preset={name}")
    assert preset == parse(config.TrainConfig, "--preset", name)
    assert preset == flagfiles.read(config.TrainConfig, flagfiles.preset(name))
    # A preset is a row of a table; where the data are is the user's affair.
    assert preset.data == preset.workdir == ""
    assert preset != config.TrainConfig()


def test_a_preset_gives_way_to_what_follows_and_includes_another(parse):
    # lsp_small_i1 says 11 itself, and takes 14 epochs from small.
    got = parse(config.TrainConfig, "--preset=lsp_small_i1", "--seed=3")
    assert (got.heatmap_epochs, got.epochs, got.seed) == (11, 14, 3)
    got = parse(config.TrainConfig, "--epochs=5", "--preset=small")
    assert got.epochs == 14
    got = parse(config.TrainConfig, "--preset=small", "--epochs=5")
    assert got.epochs == 5


def test_a_flagfile_may_name_a_preset(tmp_path):
    path = tmp_path / "mine.flags"
    path.write_text("--preset=small\n--epochs=3\n")
    got = flagfiles.read(config.TrainConfig, path)
    assert (got.epochs, got.width_multiplier) == (3, 0.25)


def test_a_command_line_is_read_or_refused_in_a_sentence(tmp_path):
    take = config.PredictConfig
    asked = flagfiles.parse(take, ["photo.jpg", "--out=new", "--noflip_test"])
    assert (asked.images, asked.out) == ("photo.jpg", "new")
    assert asked == flagfiles.parse(take, ["--out=new", "--images=photo.jpg"])
    binary = tmp_path / "binary.cfg"
    binary.write_bytes(b"\xff\xfe")
    for given, message in (
        (["--out=new"], "--images is missing: .* Received: --images="),
        (
            ["a.jpg", "b.jpg"],
            "A flag begins with --.* --images may .* Received: 'b.jpg'",
        ),
        (["a.jpg", "--modle=x"], "Did you mean: model[?];"),
        (["a.jpg", "--min_score=7"], "at most 1. Received: --min_score=7"),
        (["a.jpg", "--flip=1"], "Unknown .*'flip'.*--help lists the flags"),
        (
            ["a.jpg", "--preset=tiny"],
            "one of accuracy, demo, .*Received: --preset=tiny",
        ),
        (["a.jpg", "--batch_size=no"], "batch_size"),
        (["a.jpg", "--batch_size=0"], "Received: --batch_size=0"),
        (["a.jpg", "--flagfile=nowhere"], "nowhere"),
        (["a.jpg", f"--flagfile={binary}"], "text.*Received: --flagfile="),
    ):
        with pytest.raises(ValueError, match=message):
            flagfiles.parse(take, given)


def test_every_command_shows_what_it_must_have():
    # Ten or so main flags; a required one is among them, and has no default.
    for config_class in COMMANDS:
        fields = dataclasses.fields(config_class)
        main = [field for field in fields if field.metadata["main"]]
        assert len(main) <= 12, config_class
        assert len(main) > 1 or not fields
        for field in fields:
            if field.metadata["required"]:
                assert field.metadata["main"] and field.default == ""


def test_compensation_wants_maps_whose_empty_pixels_are_0():
    gaussian = {"method": "I1", "heatmap_reading": "gaussian"}
    for fits in ({"method": "I*"}, gaussian):
        assert config.TrainConfig(compensate=True, **fits).compensate
    for method in ("I1", "I2", "H1", "R1"):
        with pytest.raises(ValueError, match=f"--method={method}"):
            config.TrainConfig(compensate=True, method=method)

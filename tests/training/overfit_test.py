"""Every method, from records to score, learns sixteen real people by heart."""

import pathlib

import pytest

from integral_tf import config
from integral_tf import skeletons
from integral_tf.inference import evaluation
from integral_tf.records import lsp
from integral_tf.records import shards
from integral_tf.training import trainer

LSPET = pathlib.Path(__file__).parents[3] / "shared" / "data" / "lspet"
PEOPLE, COPIES = 16, 20


@pytest.fixture(scope="module")
def sixteen(tmp_path_factory):
    """Records of 16 people, each of them 20 times, so that an epoch is 20
    steps."""
    if not LSPET.is_dir():
        pytest.skip("needs the photographs of LSP-extended")
    chosen = []
    for name, key in lsp.people(LSPET):
        person = lsp.person(key)
        box = max(person.box[2:])
        # Half a head must be more than half the diagonal of a map's pixel,
        # or no maximum could be right: 4 / sqrt(2) = 2.8 of 64 pixels.
        half_head = person.head_size / 2 * 64 / (1.25 * box)
        if half_head > 3.5 and (person.visible > 0).sum() >= 12:
            chosen.append((name, key))
        if len(chosen) == PEOPLE:
            break
    out = tmp_path_factory.mktemp("sixteen") / "records"
    people = [
        (f"{name}-{copy}", key)
        for name, key in chosen
        for copy in range(COPIES)
    ]
    shards.write(people, lsp.person, out, skeletons.LSP, 64, 0.0, "", shards=1)
    return out


@pytest.mark.parametrize(
    "method, stages",
    [*[(method, 1) for method in config.METHODS], ("H1", 2), ("I1", 2)],
)
def test_sixteen_people_are_learnt_to_pckh_100(
    method, stages, sixteen, tmp_path
):
    settings = config.TrainConfig(
        method=method,
        backbone="resnet18",
        width=0.25,
        image_size=64,
        upsamplings=3,
        stages=stages,
        head_channels=64,
        batch_size=PEOPLE,
        # No augmentation: these pictures and no others.
        rotation=0.0,
        scale=0.0,
        flip=False,
        # 15 of 256 pixels, on 64, so that a positive is right.
        radius=3.0,
        epochs=30,
        heatmap_epochs=12,
        final_epochs=5,
        patience=1000,
        tensorboard=False,
        data=str(sixteen),
        workdir=str(tmp_path / "run"),
    )
    trainer.train(settings)
    scored = evaluation.evaluate(
        config.EvaluateConfig(workdir=settings.workdir, split="train")
    )
    assert scored["joints"] > 12 * PEOPLE * COPIES - 1
    assert scored["@0.5"] == 100

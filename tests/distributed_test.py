"""Tests for docs/examples: a Slurm script and a Kubernetes manifest.

Programs of the names `scontrol`, `srun` and `integral-tf` stand where Slurm's
and ours would be; ours prints what it is given.
"""

import json
import os
import pathlib
import re
import subprocess

import pytest

from integral_tf import config
from integral_tf import flagfiles
from integral_tf.training import strategy

EXAMPLES = pathlib.Path(__file__).parent.parent / "docs" / "examples"
SBATCH = EXAMPLES / "train.sbatch"
PROGRAMS = {
    "integral-tf": 'printf "%s\\n" "$TF_CONFIG" "$*"',
    # As Slurm expands a list of nodes.
    "scontrol": '[ "$*" = "show hostnames node[1-2]" ] && echo node1 && echo '
    "node2",
    # A task for each node, after srun's own options.
    "srun": 'while [[ "$1" == --* ]]; do shift; done\n'
    'for i in 0 1; do SLURM_PROCID=$i "$@"; done',
}


@pytest.fixture
def path(tmp_path):
    """A PATH on which the programs are."""
    for name, text in PROGRAMS.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/bash\n{text}\n")
        program.chmod(0o755)
    return f"{tmp_path}{os.pathsep}{os.environ['PATH']}"


def started(command, path, **variables):
    """The `TF_CONFIG` and the words of each training that a script starts."""
    done = subprocess.run(
        command,
        env={"PATH": path, **variables},
        check=True,
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    return list(zip(lines[0::2], lines[1::2]))


def check(trainings, hosts, monkeypatch):
    for index, (announced, words) in enumerate(trainings):
        assert json.loads(announced)["cluster"]["worker"] == hosts
        monkeypatch.setenv("TF_CONFIG", announced)
        assert strategy.place() == (index, len(hosts))
        command, *flags = words.split()
        assert command == "train"
        asked = flagfiles.parse(config.TrainConfig, flags)
        assert asked.sync_batch_norm and asked.batch_size == 128
    assert len(trainings) == len(hosts)


def test_slurms_script_starts_a_worker_on_each_node(path, monkeypatch):
    subprocess.run(["bash", "-n", SBATCH], check=True)
    trainings = started(["bash", SBATCH], path, SLURM_JOB_NODELIST="node[1-2]")
    check(trainings, ["node1:2222", "node2:2222"], monkeypatch)


def test_slurms_options_are_of_one_task_a_node():
    options = re.findall(
        r"^#SBATCH --([a-z-]+)=(\S+)$", SBATCH.read_text(), re.MULTILINE
    )
    assert len(options) == SBATCH.read_text().count("#SBATCH")
    options = dict(options)
    assert options["ntasks-per-node"] == "1" and options["nodes"] == "2"
    assert options["signal"] == "TERM@300"
    # Before any command, or Slurm does not read them.
    head = SBATCH.read_text().partition("set -euo")[0].splitlines()
    assert all(line.startswith("#") for line in head)


def test_the_manifests_pods_find_each_other(path, monkeypatch):
    yaml = pytest.importorskip("yaml")
    text = (EXAMPLES / "train.yaml").read_text()
    service, job = yaml.safe_load_all(text)
    assert service["kind"] == "Service" and job["kind"] == "Job"
    # A headless service, by whose name the pods have theirs.
    assert service["spec"]["clusterIP"] == "None"
    name, spec = job["metadata"]["name"], job["spec"]
    assert service["spec"]["selector"] == {"job-name": name}
    assert spec["completionMode"] == "Indexed"
    pod = spec["template"]["spec"]
    assert pod["subdomain"] == service["metadata"]["name"]
    (container,) = pod["containers"]
    variables = {each["name"]: each["value"] for each in container["env"]}
    port = service["spec"]["ports"][0]["port"]
    assert container["ports"] == [{"containerPort": port}]
    count = spec["completions"]
    assert spec["parallelism"] == count
    trainings = []
    for index in range(count):
        trainings += started(
            container["command"],
            path,
            JOB_COMPLETION_INDEX=str(index),
            **variables,
        )
    hosts = [f"{name}-{i}.{pod['subdomain']}:{port}" for i in range(count)]
    check(trainings, hosts, monkeypatch)
    mounted = {each["mountPath"] for each in container["volumeMounts"]}
    words = dict(each.split("=") for each in re.findall(r"--\w+=\S+", text))
    for flag in ("--data", "--workdir"):
        assert any(words[flag].startswith(f"{each}/") for each in mounted)

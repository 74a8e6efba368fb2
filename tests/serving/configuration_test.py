"""Tests for what a server is configured with: that it can be read, and fits."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest.mock

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message_factory
from google.protobuf import text_format
from google.protobuf import wrappers_pb2

from integral_tf.export import saved_model
from integral_tf.export import warmup
from tests import in_process
from tests.export import cases
from tests.serving import running

SERVING = pathlib.Path(__file__).parent.parent.parent / "serving"


def batching_parameters():
    """The message, which is in no package: session_bundle_config.proto."""
    file = descriptor_pb2.FileDescriptorProto(
        name="batching.proto",
        package="test",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    message = file.message_type.add(name="BatchingParameters")
    wrapped = (
        "max_batch_size batch_timeout_micros max_enqueued_batches "
        "num_batch_threads"
    ).split()
    kinds = descriptor_pb2.FieldDescriptorProto
    for number, name in enumerate(wrapped, 1):
        message.field.add(
            name=name, number=number, label=kinds.LABEL_OPTIONAL,
            type=kinds.TYPE_MESSAGE, type_name=".google.protobuf.Int64Value",
        )  # fmt: skip
    message.field.add(
        name="allowed_batch_sizes", number=6,
        label=kinds.LABEL_REPEATED, type=kinds.TYPE_INT64,
    )  # fmt: skip
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    found = pool.FindMessageTypeByName("test.BatchingParameters")
    return message_factory.GetMessageClass(found)()


def test_the_models_are_where_export_publishes_them():
    protos = pytest.importorskip(
        "tensorflow_serving.config.model_server_config_pb2",
        reason="tensorflow-serving-api is not installed",
    )
    text = (SERVING / "models.config").read_text()
    config = text_format.Parse(text, protos.ModelServerConfig())
    (pose,) = config.model_config_list.config
    assert pose.name == "pose" and pose.model_platform == "tensorflow"
    # Beside versions of its own format, under what compose.yaml mounts.
    assert pose.base_path == "/models/saved_model"
    assert pose.model_version_policy.latest.num_versions == 1
    compose = (SERVING / "compose.yaml").read_text()
    assert ":/models:ro" in compose
    for file in re.findall(r"\./(\S+?):/etc/serving/(\S+?):ro", compose):
        assert file[0] == file[1] and (SERVING / file[0]).is_file()
    for file in re.findall(r"=/etc/serving/(\S+)", compose):
        assert (SERVING / file).is_file()


def test_the_batch_sizes_are_as_the_server_wants_them():
    text = (SERVING / "batching.config").read_text()
    config = text_format.Parse(text, batching_parameters())
    sizes = list(config.allowed_batch_sizes)
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == config.max_batch_size.value
    assert config.num_batch_threads.value > 0
    # The server that batches must not warm up: it cannot join pictures.
    compose = (SERVING / "compose.yaml").read_text()
    pose, crops = compose.split("services:")[1].split("  crops:")
    for flag in ("--enable_batching", "--enable_model_warmup=false"):
        assert flag in crops and flag not in pose


def run(command, **options):
    return subprocess.run(
        command,
        env=running.ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=running.LATE,
        **options,
    )


def test_the_health_check_tells_a_server_from_none(server, tmp_path):
    if not shutil.which("bash"):
        pytest.skip("bash is not installed")
    text = (SERVING / "compose.yaml").read_text()
    (check,) = re.findall(r"      - >-\n((?:        .+\n)+)", text)
    check = " ".join(line.strip() for line in check.splitlines())
    for port, well in ((server.ports["rest"], True), (1, False)):
        there = check.replace("/8501", f"/{port}")
        assert there != check
        assert (run(["bash", "-c", there]).returncode == 0) == well
    other = check.replace("/8501", f"/{server.ports['rest']}")
    other = other.replace("models/pose", "models/other")
    assert run(["bash", "-c", other]).returncode != 0


def test_the_readmes_curl(server, tmp_path):
    for program in ("curl", "base64", "sh"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    text = (SERVING / "README.md").read_text()
    (line,) = [
        block
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        if "curl" in block
    ]
    *_, (_, asked) = warmup.requests(64, 64)
    (tmp_path / "photo.jpg").write_bytes(asked["image_bytes"])
    line = line.replace(":8501", f":{server.ports['rest']}")
    done = run(["sh", "-c", line], cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = json.loads(done.stdout)["outputs"]
    got = server.connection("grpc").predict(
        asked["image_bytes"], [[20, 10, 80, 100]]
    )
    assert outputs["joints"] == got["joints"]


def test_replay_says_how_far_a_server_is_from_the_exporter(server, tmp_path):
    def replay(folder):
        address = f"--server=localhost:{server.ports['grpc']}"
        late = f"--timeout={running.LATE}"
        requests = f"--requests={folder}"
        with unittest.mock.patch.dict(
            os.environ, running.ENVIRONMENT, clear=True
        ):
            return in_process.run("replay", requests, address, late)

    done = replay(server.folder / "1")
    assert done.returncode == 0, done.stderr
    *lines, last = done.stdout.splitlines()
    assert len(lines) == 8 and "predict_bytes, 8 people" in lines[-1]
    assert last.startswith("the server's joints are the exporter's, to ")
    # Another model is served than the one that was exported.
    frozen = cases.frozen(cases.model())
    saved_model.write(frozen, tmp_path / "1")
    warmup.write(frozen, tmp_path / "1")
    done = replay(tmp_path / "1")
    assert done.returncode == 1
    assert "replay: a joint moved by " in done.stderr
    done = replay(tmp_path / "nothing")
    assert done.returncode == 1
    assert "`--requests` is a version's folder" in done.stderr
    requests = tmp_path / "1" / warmup.FILE
    requests.write_bytes(requests.read_bytes()[:-9])
    done = replay(tmp_path / "1")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "tf_serving_warmup_requests is damaged" in done.stderr

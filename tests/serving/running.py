"""Starts `server.py` for a test."""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys

from integral_tf.serving import connections

ROOT = pathlib.Path(__file__).parent.parent.parent
SERVER = pathlib.Path(__file__).with_name("server.py")
# A proxy would be asked for localhost, too.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.lower().endswith("_proxy")
}
# Seconds, on a machine that may be busy; a test that passes waits less.
LATE = 900


class Server:
    """`server.py` in a process of its own, on ports of its own."""

    def __init__(self, folder):
        self.folder = folder
        with contextlib.ExitStack() as stack:
            free = [stack.enter_context(socket.socket()) for _ in range(2)]
            for each in free:
                each.bind(("localhost", 0))
            ports = [each.getsockname()[1] for each in free]
        self.ports = dict(zip(("grpc", "rest"), ports))
        self.process = None

    def start(self, killed_at=0):
        ports = map(str, self.ports.values())
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER), self.folder, *ports, str(killed_at)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"
        return self

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def flags(self, protocol):
        port = self.ports[protocol]
        return [f"--protocol={protocol}", f"--server=localhost:{port}"]

    def connection(self, protocol, **changes):
        kind = {"rest": connections.Rest, "grpc": connections.Grpc}[protocol]
        known = {"model": "pose", "version": 0, "timeout": float(LATE)}
        address = f"localhost:{self.ports[protocol]}"
        return kind(address, **{**known, **changes})

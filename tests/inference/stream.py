"""Streams for the tests here: Motion JPEG over HTTP, as cameras send; files."""

import contextlib
import http.server
import threading
import time

import cv2
import numpy as np


@contextlib.contextmanager
def of(frames, *, pause=0.0, stays=False):
    """Serves frames once to whoever connects, then ends the stream.

    Args:
        frames: RGB frames, maybe without an end.
        pause: Seconds between two frames.
        stays: Whether the connection stays open after the last frame.

    Yields:
        The stream's address, without `http://`.
    """
    done = threading.Event()

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header(
                "Content-Type", "multipart/x-mixed-replace; boundary=frame"
            )
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                for frame in frames:
                    if done.is_set():
                        return
                    picture = np.ascontiguousarray(frame[..., ::-1])
                    _, jpeg = cv2.imencode(".jpg", picture)
                    self.wfile.write(
                        b"--frame\r\nContent-Type: image/jpeg\r\n"
                        b"Content-Length: %d\r\n\r\n" % len(jpeg)
                    )
                    self.wfile.write(jpeg.tobytes() + b"\r\n")
                    time.sleep(pause)
                if stays:
                    done.wait(30)

        def log_message(self, *_):
            """Prints nothing."""

    try:
        with _served(Answer) as host:
            yield f"{host}/live"
    finally:
        done.set()


@contextlib.contextmanager
def folder(path):
    """Serves the files of a folder; yields the address without `http://`."""

    class Answer(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *given):
            super().__init__(*given, directory=path)

        def log_message(self, *_):
            """Prints nothing."""

    with _served(Answer) as host:
        yield host


@contextlib.contextmanager
def _served(answer):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), answer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

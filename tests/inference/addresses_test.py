"""Tests for addresses, and that passwords are not printed."""

import pytest

from integral_tf.inference import addresses


@pytest.mark.parametrize(
    "text, printed",
    [
        ("rtsp://camera:554/live", "rtsp://camera:554/live"),
        ("rtsp://admin:word@camera/live", "rtsp://***@camera/live"),
        ("rtsp://admin@camera/live", "rtsp://***@camera/live"),
        ("http://a:p@ss/w@rd@camera/x.mp4", "http://***@camera/x.mp4"),
        ("http://camera/x?user=a&pwd=b", "http://camera/x?***"),
        ("http://a:b?c@camera/x", "http://***@camera/x"),
        ("udp://@239.0.0.1:1234", "udp://@239.0.0.1:1234"),
        ("photos/what?/me@home.jpg", "photos/what?/me@home.jpg"),
        ("ftp://a:b@host/x", "ftp://***@host/x"),
        ("", ""),
    ],
)
def test_a_password_is_not_shown(text, printed):
    assert addresses.shown(text) == printed


def test_which_texts_are_addresses():
    assert addresses.is_address("RTSP://camera/live")
    assert not addresses.is_address("ftp://host/x")
    assert not addresses.is_address("photos/a.jpg")


@pytest.mark.parametrize(
    "address, ending",
    [
        ("http://host/clip.MP4?key=a.avi", ".mp4"),
        ("http://host.mp4/live", ""),
        ("http://host", ""),
    ],
)
def test_the_ending_is_that_of_the_path(address, ending):
    assert addresses.ending(address) == ending

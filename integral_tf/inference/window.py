"""A window for the drawn frames, by Python's own Tk."""

import importlib
from typing import Any

import numpy as np
from PIL import Image

# Share of the screen that a large frame is scaled down to.
_SHARE = 0.9


class Window:
    """Shows pictures; close it, or use it in a `with`.

    `q`, Esc and the window's own button end the showing. A picture larger than
    the screen is scaled down. OpenCV's windows are not used, because its
    headless package, which this package requires, has none.

    Args:
        title: Title of the window, which appears with the first picture.

    Raises:
        ImportError: this Python has no Tk.
        OSError: there is no screen.
    """

    def __init__(self, title: str) -> None:
        try:
            tk = importlib.import_module("tkinter")
            self._of_pictures = importlib.import_module("PIL.ImageTk")
        except ImportError as error:
            raise ImportError(
                "A window needs tkinter, which comes with most Pythons; on "
                "Debian `apt install python3-tk` adds it. Without --show "
                f"nothing else changes. Received: {error}"
            ) from None
        try:
            self._root = tk.Tk()
        except tk.TclError as error:
            raise OSError(
                "A window needs a screen; leave out --show, and open the drawn "
                f"video when it is done. Received: {error}"
            ) from None
        self._root.withdraw()
        self._root.title(title)
        self._label = tk.Label(self._root, borderwidth=0)
        self._label.pack()
        self._is_ended = self._is_seen = False
        for key in ("q", "Q", "<Escape>"):
            self._root.bind(key, self._end)
        self._root.protocol("WM_DELETE_WINDOW", self._end)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        self._root.destroy()

    def show(self, picture: np.ndarray) -> bool:
        """Shows a picture.

        Args:
            picture: `(H, W, 3)` uint8 RGB.

        Returns:
            False once the user has ended the showing.
        """
        shown = Image.fromarray(np.ascontiguousarray(picture))
        screen = (self._root.winfo_screenwidth, self._root.winfo_screenheight)
        shown.thumbnail([round(_SHARE * side()) for side in screen])
        photo = self._of_pictures.PhotoImage(shown, master=self._root)
        self._label.configure(image=photo)
        self._photo = photo  # Tk does not keep it.
        if not self._is_seen:
            self._root.deiconify()
            self._is_seen = True
        self._root.update()
        return not self._is_ended

    def _end(self, _event=None):
        self._is_ended = True

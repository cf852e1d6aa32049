"""State of a stand-in: in memory, or in a JSON file that survives a restart."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from pathlib import Path
from typing import Any

SAVE_AFTER_S = 0.2


class Store:
    """`data` is a dict of JSON values. Hold `lock` to read or change it, then call `changed()`.

    With a path the state is written shortly after a change and at `close()`, always as a whole new file that
    replaces the old one, so that a kill at any moment leaves a readable file.
    """

    def __init__(self, path: Path | str | None) -> None:
        self.path = Path(path) if path else None
        self.lock = threading.RLock()
        self.data: dict[str, Any] = {}
        self.is_new = True
        self._saving = threading.Lock()
        self._dirty = threading.Event()
        self._closing = threading.Event()
        self._writer: threading.Thread | None = None
        if self.path is not None:
            self._load(self.path)
            self._writer = threading.Thread(target=self._write_when_changed, name="store", daemon=True)
            self._writer.start()

    def changed(self) -> None:
        """Say that `data` was changed."""
        self._dirty.set()

    def save(self) -> None:
        """Write the state now, if there is a file."""
        if self.path is None:
            return
        with self._saving:
            self._dirty.clear()
            with self.lock:
                text = json.dumps(self.data, separators=(",", ":"))
            # The disk may be slow; nobody who only reads or changes the state waits for it.
            self._replace(self.path, text)

    def close(self) -> None:
        """Write what is unsaved and stop the writer."""
        self._closing.set()
        self._dirty.set()
        if self._writer is not None:
            self._writer.join()

    def _load(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            self.data = json.loads(path.read_text())
            self.is_new = False

    def _write_when_changed(self) -> None:
        while True:
            self._dirty.wait()
            # A burst of changes costs one write.
            self._closing.wait(SAVE_AFTER_S)
            self.save()
            if self._closing.is_set():
                return

    @staticmethod
    def _replace(path: Path, text: str) -> None:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)

"""A data directory: keys, ports, logs and the servers' place, for `.data/` and for throw-away stacks alike."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tools import keys, programs
from tools.errors import ToolError
from tools.files import make_folder, write_private
from tools.ports import Ports

MARKER = "made-by-dealwright"


@dataclass
class Home:
    """What belongs to one data directory. Reading a property makes what it needs; nothing else is touched."""

    folder: Path
    _logs: set[str] = field(default_factory=set)

    @classmethod
    def at(cls, folder: Path) -> Home:
        """Open `folder` and make it if need be. Raises ToolError when it holds something that is not ours."""
        folder = folder.absolute()
        if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).exists():
            raise ToolError(f"{folder} is not empty and was not made by ./dev, so it is left alone.")
        make_folder(folder, passable=True)
        if not (folder / MARKER).exists():
            write_private(folder / MARKER, "Data of ./dev; ./dev up --fresh deletes this folder.\n")
        return cls(folder)

    @classmethod
    def throwaway(cls) -> Home:
        """Make a new data directory in the system's folder for temporary files."""
        folder = Path(tempfile.mkdtemp(prefix="dealwright-"))
        folder.chmod(0o711)  # as `at` makes it, so that the servers' user can step through
        return cls.at(folder)

    @cached_property
    def keys(self) -> dict[str, str]:
        """Secrets and passwords by name, made up at the first start."""
        return keys.load(self.folder / "secrets.json")

    @cached_property
    def ports(self) -> Ports:
        """Remembered loopback ports."""
        return Ports(self.folder / "ports.json")

    @cached_property
    def place(self) -> programs.Place:
        """Where the embedded servers live."""
        return programs.settle(self.folder)

    def log(self, name: str) -> Path:
        """Return the log file of a process. What an earlier run wrote is kept beside it as `NAME.log.1`."""
        folder = self.folder / "logs"
        make_folder(folder)
        path = folder / f"{name}.log"
        if name not in self._logs:
            self._logs.add(name)
            if path.exists():
                path.replace(folder / f"{name}.log.1")
            path.touch(mode=0o600)
        return path

    def delete(self) -> None:
        """Delete the data directory and the servers' folder that it names, nothing else."""
        if not (self.folder / MARKER).exists():
            if self.folder.exists():
                raise ToolError(f"{self.folder} was not made by ./dev, so it is left alone.")
            return
        programs.forget(self.folder)
        for path in self.folder.iterdir():  # the marker last, so that an interrupted deletion can be repeated
            if path.name != MARKER:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        shutil.rmtree(self.folder)

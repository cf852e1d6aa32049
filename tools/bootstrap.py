"""The first half of `./dev`: make `.venv` from the hashed lock, then hand over to `tools` in it.

Runs with whatever Python 3.11+ was found, so it imports the standard library only and nothing of this project.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements" / "dev.txt"
STAMP = VENV / "dealwright-installed"


class SetUpError(Exception):
    """The environment cannot be made; the message is a sentence for the person."""


def main() -> None:
    """Make the environment if it is missing or older than the lock, and become `python -m tools` in it."""
    try:
        if not _is_current():
            with _one_at_a_time():
                if not _is_current():
                    _install()
    except SetUpError as error:
        sys.exit(f"./dev: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    # -P: a folder `tools` where ./dev happens to be called must not be taken for ours.
    os.execv(PYTHON, [str(PYTHON), "-P", "-m", "tools", *sys.argv[1:]])  # noqa: S606 # no shell is the point


def _wanted() -> str:
    """Name what a current environment was made from: the lock, and this checkout's place, which scripts in it name."""
    return f"{hashlib.sha256(LOCK.read_bytes()).hexdigest()}\n{ROOT}\n"


def _is_current() -> bool:
    with contextlib.suppress(OSError):
        return STAMP.read_text(encoding="utf-8") == _wanted() and PYTHON.exists()
    return False


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Hold a lock on the requirements file, which every start can open, so that two starts do not install at once."""
    with open(LOCK, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another ./dev is installing; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install() -> None:
    old = STAMP.read_text(encoding="utf-8").splitlines()[1:] if STAMP.exists() else []
    if old != [str(ROOT)] or not PYTHON.exists():
        _make_venv()
    STAMP.unlink(missing_ok=True)
    _say("installing the locked requirements.")
    with_pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    uv = VENV / "bin" / "uv"
    requirements = ["--require-hashes", "-r", str(LOCK)]
    # uv is only the installer: what it installs is checked against the lock's hashes, as pip would.
    if uv.exists() or _run([*with_pip, "uv"]).returncode == 0:
        env = {**os.environ, "UV_LINK_MODE": os.environ.get("UV_LINK_MODE", "copy")}
        tried = _run([str(uv), "pip", "install", "--quiet", "--python", str(PYTHON), *requirements], env)
    else:
        tried = None
    if tried is None or tried.returncode != 0:
        _say("uv could not, so pip does it; that takes a minute longer.")
        tried = _run([*with_pip, *requirements])
    if tried.returncode != 0:
        said = tried.stderr.strip()[-2000:]
        raise SetUpError(
            f"the requirements could not be installed. Is the package registry reachable? pip said:\n{said}"
        )
    # The checkout itself is on the path of this environment, from whichever folder a command is run.
    site_packages = next((VENV / "lib").glob("python3*/site-packages"))
    (site_packages / "dealwright-checkout.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    STAMP.write_text(_wanted(), encoding="utf-8")


def _make_venv() -> None:
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SetUpError(
            f"{sys.executable} cannot make virtual environments; on Debian and Ubuntu install python{version}-venv."
        )
    _say(f"making the environment .venv with Python {sys.version.split()[0]}.")
    if VENV.is_symlink() or (VENV.exists() and not (VENV / "pyvenv.cfg").exists() and any(VENV.iterdir())):
        raise SetUpError(f"{VENV} exists and is not a virtual environment; move it away.")
    shutil.rmtree(VENV, ignore_errors=True)
    made = _run([sys.executable, "-m", "venv", str(VENV)])
    if made.returncode != 0:
        raise SetUpError(f"the environment could not be made:\n{(made.stderr or made.stdout).strip()[-2000:]}")


def _run(argv: list[str], env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def _say(text: str) -> None:
    print(f"./dev: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

"""Python packages that do not get along with ours, each set in an environment of its own in the user's cache."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.npm import Absent, cache

_INSTALL_LIMIT_S = 300
_PROBE_LIMIT_S = 40


def python_with(*requirements: str) -> str:
    """Give a Python that has these packages, installed if they are not yet.

    Errors: Absent; subprocess.CalledProcessError when the index answers, and they cannot be installed all the same.
    """
    uv = shutil.which("uv")
    if uv is None:
        raise Absent("no uv here, which installs what has to stand alone")
    digest = hashlib.sha256("\n".join((sys.version, *requirements)).encode()).hexdigest()[:16]
    folder = cache() / f"python-{digest}"
    if not folder.exists():
        _make(uv, folder, requirements)
    return str(folder / "bin" / "python")


def _make(uv: str, folder: Path, requirements: tuple[str, ...]) -> None:
    """Make an environment beside its place, and move it there once it is whole; scripts in it are not used."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
        made = Path(unfinished) / "made"
        _run(uv, "--no-config", "venv", "--quiet", "--python", sys.executable, str(made))
        # Without our configuration, which holds the versions that these packages do not get along with.
        install = (uv, "--no-config", "pip", "install", "--quiet", "--python", str(made / "bin" / "python"))
        try:
            _run(*install, *requirements)
        except subprocess.CalledProcessError:
            if _is_reachable(install):
                raise
            raise Absent("the package index cannot be reached") from None
        if not folder.exists():
            made.rename(folder)


def _is_reachable(install: tuple[str, ...]) -> bool:
    """Ask for something small: only an index out of reach excuses a test."""
    probe = (*install, "--dry-run", "--refresh", "iniconfig")
    return subprocess.run(probe, capture_output=True, check=False, timeout=_PROBE_LIMIT_S).returncode == 0


def _run(*command: str) -> None:
    subprocess.run(command, capture_output=True, check=True, timeout=_INSTALL_LIMIT_S)

"""npm packages for tests and measures, installed once for each list of versions into the user's cache."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

OLDEST_NODE = 20
_PROBE_LIMIT_S = 40
_INSTALL_LIMIT_S = 300
_INSTALL = ("install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--no-update-notifier")
# Asked first: only a registry out of reach excuses the tests, not a package that cannot be installed.
_REACH = ("view", "graphql-ws", "version", "--fetch-retries=0", "--fetch-timeout=20000")


class Absent(Exception):
    """What the tests need is not on this machine; the text says what."""


def node() -> str:
    """Find Node.

    Errors: Absent.
    """
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        raise Absent(f"no Node.js with npm here; {OLDEST_NODE} or newer is needed")
    version = _run([found, "--version"], _PROBE_LIMIT_S, Path())
    if int(version.removeprefix("v").split(".")[0]) < OLDEST_NODE:
        raise Absent(f"Node.js {version} is too old; {OLDEST_NODE} or newer is needed")
    return found


def node_modules(manifest: Path) -> Path:
    """Give the folder of the packages that a package.json asks for, filled if it is not yet.

    Errors: Absent; subprocess.CalledProcessError when the registry answers, and npm cannot install all the same.
    """
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest()[:16]
    folder = cache() / f"{manifest.parent.name}-{digest}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
            _install(manifest, Path(unfinished))
            _publish(Path(unfinished) / "node_modules", folder)
    return folder / "node_modules"


def cache() -> Path:
    """Give the folder where packages are kept."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "conference-gateway"


def _install(manifest: Path, folder: Path) -> None:
    npm = shutil.which("npm") or "npm"
    shutil.copy(manifest, folder)
    try:
        _run([npm, *_REACH], _PROBE_LIMIT_S, folder)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        raise Absent("npm's registry is out of reach, and the packages have not been installed before") from None
    _run([npm, *_INSTALL], _INSTALL_LIMIT_S, folder)


def _publish(modules: Path, folder: Path) -> None:
    """Let a folder appear whole or not at all, whoever else is installing the same."""
    whole = modules.parent / "whole"
    whole.mkdir()
    modules.rename(whole / "node_modules")
    try:
        whole.rename(folder)
    except OSError:
        if not folder.exists():
            raise


def _run(command: list[str], limit_s: float, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, check=False, timeout=limit_s, capture_output=True, encoding="utf-8")
    if done.returncode != 0:
        sys.stderr.write(done.stderr)
        done.check_returncode()
    return done.stdout.strip()

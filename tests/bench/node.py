"""Installs the npm packages that the gateway is compared with, outside the repository."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

_SOURCES = Path(__file__).parent / "servers"
_INSTALL = (
    "npm",
    "install",
    "--no-package-lock",
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    "--loglevel=error",
)
_PATIENCE_S = 300


def prepared() -> Path | str:
    """Give the folder with the servers and their packages, or say why there is none."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "no Node"
    wanted = (_SOURCES / "package.json").read_bytes()
    folder = _caches() / "conference-gateway-bench" / hashlib.sha256(wanted).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    for source in (*_SOURCES.glob("*.mjs"), _SOURCES / "package.json"):
        shutil.copy(source, folder)
    complete = folder / "installed"
    if not complete.exists():
        try:
            subprocess.run(_INSTALL, cwd=folder, check=True, capture_output=True, timeout=_PATIENCE_S)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return "npm failed"
        complete.touch()
    return folder


def _caches() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")

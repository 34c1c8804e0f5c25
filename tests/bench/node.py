"""Lays out the Node servers that the gateway is compared with, beside the packages they need."""

import shutil
import subprocess
from pathlib import Path

from tests.npm import Absent, node, node_modules

_SOURCES = Path(__file__).parent / "servers"


def prepared() -> Path | str:
    """Give the folder with the servers and their packages, or say why there is none."""
    try:
        node()
        folder = node_modules(_SOURCES / "package.json").parent
    except Absent as why:
        return str(why)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return "npm failed"
    for source in _SOURCES.glob("*.mjs"):
        shutil.copy(source, folder)
    return folder

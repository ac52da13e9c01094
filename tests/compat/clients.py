"""The unchanged client libraries: how each is installed, and how its story is run."""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Callable

from nodes import HTTP_PORT, PB_PORT

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = HERE / "python"
DEBIAN_ROOT = HERE.parent / "lib" / "debian_root"


class NotInstalled(Exception):
    """A client could not be installed; the message says what failed."""


def shell(*command: str | pathlib.Path, cwd: pathlib.Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise NotInstalled(f"{' '.join(map(str, command))}\n{tail}")


def once(cache: pathlib.Path, name: str, inputs: list[pathlib.Path], make: Callable[[pathlib.Path], None]) -> pathlib.Path:
    """A folder of the cache named by the content it is made from, made if it is missing."""
    digest = hashlib.sha256()
    for path in [pathlib.Path(__file__), *inputs]:
        digest.update(path.read_bytes())
    folder = cache / f"compat-{name}-{digest.hexdigest()[:16]}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        (folder / "complete").touch()
    return folder


def make_riak_venv(folder: pathlib.Path) -> None:
    shell(sys.executable, "-m", "venv", folder / "venv")
    pip = folder / "venv" / "bin" / "pip"
    # riak 2.7.0 is built the old way, which newer setuptools no longer know.
    shell(pip, "install", "--quiet", "setuptools<70", "wheel")
    shell(pip, "install", "--quiet", "--no-build-isolation", "riak==2.7.0")


def newer_python() -> str | None:
    """A Python of at least 3.12 on this machine; a command may be there and not work."""
    for command in [*(f"python3.{minor}" for minor in range(16, 11, -1)), "python3"]:
        probe = "import sys, venv; sys.exit(sys.version_info < (3, 12))"
        if shutil.which(command) and subprocess.run([command, "-c", probe], capture_output=True).returncode == 0:
            return command
    return None


def make_openriak_venv(folder: pathlib.Path) -> None:
    if python := newer_python():
        shell(python, "-m", "venv", folder / "venv")
        shell(folder / "venv" / "bin" / "pip", "install", "--quiet", "openriak==0.1.4")
        return
    root = folder / "root"
    shell(DEBIAN_ROOT, "13", root)
    share_way_to_pypi(root)
    shell("chroot", root, "apt-get", "update", "--quiet")
    shell("chroot", root, "apt-get", "install", "--yes", "--no-install-recommends", "python3-venv")
    shell("chroot", root, "python3", "-m", "venv", "/venv")
    shell("chroot", root, "/venv/bin/pip", "install", "--quiet", "openriak==0.1.4")
    (root / "driver").mkdir()


def share_way_to_pypi(root: pathlib.Path) -> None:
    """pip in the root reaches packages as this machine's does: same settings, same authorities."""
    for config in (pathlib.Path("/etc/pip.conf"), pathlib.Path.home() / ".config" / "pip" / "pip.conf"):
        if config.exists():
            shutil.copy(config, root / "etc" / "pip.conf")
    authorities = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    if authorities.exists():
        shutil.copy(authorities, root / "etc" / "ssl" / "certs" / authorities.name)


def openriak_command(folder: pathlib.Path) -> list[str | pathlib.Path]:
    root = folder / "root"
    if not root.exists():
        return [folder / "venv" / "bin" / "python", PYTHON / "openriak_client.py"]
    for script in ("openriak_client.py", "steps.py"):
        shutil.copy(PYTHON / script, root / "driver" / script)
    return ["chroot", root, "/venv/bin/python", "/driver/openriak_client.py"]


def make_node_modules(folder: pathlib.Path) -> None:
    for path in NODE_INPUTS:
        shutil.copy(path, folder / path.name)
    shell("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", cwd=folder)


def make_java(folder: pathlib.Path) -> None:
    shutil.copytree(HERE / "java", folder, dirs_exist_ok=True)
    shell("mvn", "-q", "-B", "package", cwd=folder)


def make_rust(folder: pathlib.Path) -> None:
    shutil.copytree(HERE / "rust", folder, dirs_exist_ok=True)
    shell("cargo", "build", "--quiet", cwd=folder)


Command = Callable[[pathlib.Path, str, str], list[str | pathlib.Path]]  # (folder, host, key prefix)


@dataclasses.dataclass(frozen=True)
class Client:
    name: str
    folder: str  # Clients of one folder share an installation.
    inputs: list[pathlib.Path]
    make: Callable[[pathlib.Path], None]
    command: Command


def riak_python(protocol: str) -> Command:
    return lambda folder, host, prefix: [
        *(folder / "venv" / "bin" / "python", PYTHON / "riak_client.py", protocol, host),
        *(str(HTTP_PORT), str(PB_PORT), prefix),
    ]


def node_script(script: str) -> Command:
    return lambda folder, host, prefix: ["node", folder / script, host, str(PB_PORT), prefix]


NODE_INPUTS = [HERE / "node" / name for name in ("package.json", "steps.js", "basho.js", "no_riak.js")]
JAVA_INPUTS = [HERE / "java" / "pom.xml", HERE / "java" / "src" / "main" / "java" / "Compat.java"]
RUST_INPUTS = [HERE / "rust" / "Cargo.toml", HERE / "rust" / "src" / "main.rs"]

CLIENTS = [
    Client("PyPI riak 2.7.0, HTTP", "riak", [], make_riak_venv, riak_python("http")),
    Client("PyPI riak 2.7.0, PB", "riak", [], make_riak_venv, riak_python("pbc")),
    Client("PyPI openriak 0.1.4, HTTP", "openriak", [DEBIAN_ROOT], make_openriak_venv,
           lambda folder, host, prefix: [*openriak_command(folder), host, str(HTTP_PORT), prefix]),
    Client("npm basho-riak-client 2.4.0, PB", "node", NODE_INPUTS, make_node_modules, node_script("basho.js")),
    Client("npm no-riak 1.6.11, PB", "node", NODE_INPUTS, make_node_modules, node_script("no_riak.js")),
    Client("Maven riak-client 2.1.1, PB", "java", JAVA_INPUTS, make_java,
           lambda folder, host, prefix: ["java", "-cp", f"{folder}/target/classes:{folder}/target/dependency/*",
                                         "Compat", host, str(PB_PORT), prefix]),
    Client("crate riak 0.3.4, PB", "rust", RUST_INPUTS, make_rust,
           lambda folder, host, prefix: [folder / "target" / "debug" / "dynamo-compat", host, str(PB_PORT), prefix]),
]

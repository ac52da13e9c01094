"""The layers of the house and what each may include (ARCHITECTURE.md shows the picture)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree import SourceFile, Tree, Violation

_BASE = ("common/base",)
_CORE = ("node/core",) + _BASE
_PROTOCOL = ("node/protocol",) + _CORE
_ENV = ("node/env",) + _PROTOCOL
_SERVICE = ("node/service",) + _ENV

# Folder -> folders it may include from. The longest folder that holds a file is its layer.
MAY_INCLUDE: dict[str, tuple[str, ...]] = {
    "common/base": _BASE,
    "common/admin": ("common/admin",) + _BASE,
    "common/kube": ("common/kube",) + _BASE,
    "common/tls": ("common/tls",) + _BASE,
    "common/users": ("common/users", "common/tls", "common/yaml") + _BASE,
    "common/yaml": ("common/yaml",) + _BASE,
    "node/core": _CORE,
    "node/protocol": _PROTOCOL,
    "node/env": _ENV,
    "node/service": _SERVICE,
    "node/adapter": ("node/adapter", "common/kube", "common/tls") + _ENV,
    "node/api": ("node/api", "common/admin", "common/tls", "common/users") + _ENV,
    "node": ("node", "common"),  # main.cc, node.cc and config.cc wire everything.
    "client": ("client", "node/core", "common"),
    # What the operator decides needs no network; what it does needs both clients.
    "operator/cluster": ("operator/cluster", "common/kube", "common/admin") + _BASE,
    "operator": ("operator", "common"),
    "tools": ("tools", "client", "node/core", "common"),
    "tests": (),  # Tests may include everything.
}

# Libraries that belong behind certain doors: (include prefix, layers that may use it).
_ABOVE_PROTOCOL = ("node/env", "node/service", "node/adapter", "node/api", "node", "client", "tools", "tests")
LIBRARY_DOORS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("boost/asio", _ABOVE_PROTOCOL, "core and protocol decide without a network; Asio begins in node/env"),
    ("boost/beast", ("node/adapter", "node/api", "client", "tools", "tests"), "HTTP belongs to the doors"),
    ("httplib.h", ("common/admin", "common/kube", "operator", "tools", "tests"),
     "cpp-httplib blocks a thread a connection: clients, tools and the operator's own pages may"),
    ("rocksdb/", ("node/adapter", "tests"), "the disk is a port: only node/adapter knows RocksDB"),
)

_INCLUDE = re.compile(r'^\s*#\s*include\s*(?P<quote>[<"])(?P<path>[^>"]+)[>"]')


def layer_of(path: str) -> str | None:
    folders = [folder for folder in MAY_INCLUDE if path.startswith(folder + "/")]
    return max(folders, key=len, default=None)


def includes(file: SourceFile) -> Iterator[tuple[int, str, bool]]:
    """(line, path, quoted) of each include."""
    for number, line in enumerate(file.code_lines, start=1):
        if match := _INCLUDE.match(line):
            yield number, match["path"], match["quote"] == '"'


def check(tree: Tree) -> Iterator[Violation]:
    for file in tree.cpp:
        layer = layer_of(file.path)
        if layer is None:
            yield Violation(file.path, 1, "layer", "no layer is named for this folder in tests/tidy/layers.py")
            continue
        for line, path, quoted in includes(file):
            why = _why_not_project(tree, layer, path) if quoted else _why_not_library(layer, path)
            if why:
                yield Violation(file.path, line, "include", why)


def _why_not_project(tree: Tree, layer: str, path: str) -> str | None:
    generated_from = re.sub(r"\.pb\.h$", ".proto", path)
    if path not in tree.files and generated_from not in tree.files:
        return f'"{path}" is no file of this tree; includes of our own files are written from the root'
    if layer == "tests" or path.startswith(tuple(folder + "/" for folder in MAY_INCLUDE[layer])):
        return None
    allowed = ", ".join(MAY_INCLUDE[layer])
    return f'{layer} must not include "{path}": it sees only {allowed}'


def _why_not_library(layer: str, path: str) -> str | None:
    for prefix, allowed, why in LIBRARY_DOORS:
        if path.startswith(prefix) and layer not in allowed:
            return f"{layer} must not include <{path}>: {why}"
    return None

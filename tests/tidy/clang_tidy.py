#!/usr/bin/env python3
"""Runs clang-tidy over core, protocol and what has changed: clang_tidy.py [--all] BUILD_FOLDER.

"Changed" is what differs from origin/main, or on main itself what its last commit
touched. A file that passed is remembered by the digest of all that the verdict
depends on, in ${XDG_CACHE_HOME:-~/.cache}/dynamo/clang-tidy; that folder is a
convenience only: safe to delete, and done without when it cannot be written.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

PROGRAM = "clang-tidy-19"
ALWAYS = ("node/core/", "node/protocol/")
# Clang's analyzer does not follow coroutines: it finds faults in Asio's own awaitable.hpp.
WITHOUT_COROUTINES = ("common/base/", "node/core/", "node/protocol/")
KEPT_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class Unit:
    """One compilation: `path` is relative to the root."""

    path: str
    arguments: tuple[str, ...]
    folder: str


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True)


def units_of(root: Path, build: Path) -> list[Unit]:
    """Our own compilations, from the build's compile_commands.json; generated code is not ours."""
    units = []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = (Path(entry["directory"]) / entry["file"]).resolve()
        if root in file.parents and build not in file.parents:
            arguments = tuple(entry.get("arguments") or shlex.split(entry["command"]))
            units.append(Unit(file.relative_to(root).as_posix(), arguments, entry["directory"]))
    return sorted(units, key=lambda unit: unit.path)


def changed_files(root: Path) -> set[str]:
    """What differs from origin/main (on main: what the last commit touched), and what is not committed."""
    git = ["git", "-c", f"safe.directory={root}"]
    base = run([*git, "merge-base", "HEAD", "origin/main"], root).stdout.strip()
    if not base or base == run([*git, "rev-parse", "HEAD"], root).stdout.strip():
        base = "HEAD~1"
    listed = run([*git, "diff", "--name-only", base], root).stdout + run(
        [*git, "ls-files", "--others", "--exclude-standard"], root).stdout
    return set(listed.split())


@lru_cache(maxsize=None)
def digest_of(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def dependencies(unit: Unit) -> list[str] | None:
    """Every file the compiler reads for `unit`, headers of packages included; None if one is missing."""
    arguments = [argument for argument in unit.arguments if not argument.endswith("ccache")]
    output = arguments.index("-o")
    command = [*arguments[:output], *arguments[output + 2:], "-M", "-MT", "unit"]
    listed = run(command, Path(unit.folder))
    if listed.returncode != 0:
        return None
    names = listed.stdout.partition(":")[2].replace("\\\n", " ").split()
    return [os.path.join(unit.folder, name) for name in names]


def key_of(unit: Unit, root: Path, common: str) -> str | None:
    """The digest of all that the verdict on `unit` depends on, wherever the checkout stands."""
    paths = dependencies(unit)
    if paths is None:
        return None
    digest = hashlib.sha256(f"{common}\n{shlex.join(unit.arguments)}\n".replace(str(root), ".").encode())
    for path in paths:
        digest.update(f"{path.replace(str(root), '.')} {digest_of(path)}\n".encode())
    return digest.hexdigest()


class PassedCache:
    """Remembers keys of files that passed, one empty file each; a folder that cannot be used remembers nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder: Path | None = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._forget_old(folder)
        except OSError as error:
            print(f"clang-tidy: no cache ({error})")
            self._folder = None

    @staticmethod
    def _forget_old(folder: Path) -> None:
        for entry in folder.iterdir():
            if entry.stat().st_mtime < time.time() - KEPT_SECONDS:
                entry.unlink()

    def __contains__(self, key: str) -> bool:
        if self._folder is None or not (self._folder / key).exists():
            return False
        self.add(key)  # Still of use: its age starts anew.
        return True

    def add(self, key: str) -> None:
        if self._folder is None:
            return
        try:
            (self._folder / key).touch()
        except OSError:
            pass  # The next run checks the file again, nothing more.


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dynamo" / "clang-tidy"


def check(unit: Unit, root: Path, build: Path, common: str, cache: PassedCache) -> tuple[bool, str]:
    """(passed, what to print)."""
    key = key_of(unit, root, common)
    if key is None:
        return False, f"{unit.path}: a header is missing (a generated one? build first)"
    if key in cache:
        return True, ""
    narrowed = [] if unit.path.startswith(WITHOUT_COROUTINES) else ["--checks=-clang-analyzer-*"]
    done = run([PROGRAM, "--quiet", *narrowed, "-p", str(build), str(root / unit.path)], root)
    if done.returncode == 0:
        cache.add(key)
        return True, f"{unit.path}: checked"
    return False, (done.stdout or done.stderr).replace(f"{root}/", "")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("build", type=Path, help="a configured build folder")
    parser.add_argument("--all", action="store_true", help="check every file, not only core, protocol and changed ones")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="the checkout that the build is of")
    options = parser.parse_args(arguments)
    if shutil.which(PROGRAM) is None:
        print(f"{PROGRAM} is missing: install the package {PROGRAM}", file=sys.stderr)
        return 2
    root, build = options.root.resolve(), options.build.resolve()
    changed = changed_files(root)
    units = [unit for unit in units_of(root, build)
             if options.all or unit.path.startswith(ALWAYS) or unit.path in changed]
    common = run([PROGRAM, "--version"], root).stdout + digest_of(str(root / ".clang-tidy"))
    cache = PassedCache(cache_folder())
    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for passed, text in pool.map(lambda unit: check(unit, root, build, common, cache), units):
            failed += not passed
            if text:
                print(text, flush=True)
    print(f"clang-tidy: {len(units)} files, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The tree under test: which files belong to it, and their text with comments blanked out."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

CPP_SUFFIXES = (".cc", ".h")


@dataclass(frozen=True, order=True)
class Violation:
    """One broken rule at one place; `line` counts from 1."""

    path: str
    line: int
    rule: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.why}"


@dataclass
class SourceFile:
    """A text file of the tree; `path` is relative to the root, with slashes."""

    path: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def code(self) -> str:
        """The C++ text with comments and literals blanked out: same lines, same columns."""
        return blank_comments_and_literals(self.text)

    @cached_property
    def code_lines(self) -> list[str]:
        return self.code.splitlines()

    @property
    def is_cpp(self) -> bool:
        return self.path.endswith(CPP_SUFFIXES)

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]


@dataclass
class Tree:
    root: Path
    files: dict[str, SourceFile] = field(default_factory=dict)

    @classmethod
    def of_checkout(cls, root: Path) -> Tree:
        """Everything git tracks or would track: what .gitignore names (build/ first of all) is no part of it."""
        listing = subprocess.run(
            ["git", "-c", f"safe.directory={root}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root, check=True, capture_output=True, text=True)
        tree = cls(root)
        for path in sorted(set(filter(None, listing.stdout.split("\0")))):
            tree._add(path)
        return tree

    def _add(self, path: str) -> None:
        full = self.root / path
        if not full.is_file() or full.is_symlink():
            return  # Deleted but not yet staged, or a link to a file that is listed itself.
        data = full.read_bytes()
        if b"\0" in data:
            return  # Binary: a fuzz corpus, for instance.
        self.files[path] = SourceFile(path, data.decode("utf-8", errors="replace"))

    @property
    def cpp(self) -> list[SourceFile]:
        return [file for file in self.files.values() if file.is_cpp]

    def text_of(self, path: str) -> str | None:
        file = self.files.get(path)
        return file.text if file else None


_BLANKED = re.compile(
    r"""
    //[^\n]*                                   # line comment
  | /\*.*?\*/                                  # block comment
  | \bR"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"   # raw string
  | "(?:\\.|[^"\\\n])*"                        # string
  | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'        # character; 1'000 is a number
    """,
    re.DOTALL | re.VERBOSE,
)
_NOT_NEWLINE = re.compile(r"[^\n]")
_INCLUDE_LINE = re.compile(r"^\s*#\s*include\b")


def blank_comments_and_literals(text: str) -> str:
    """Quotes of literals stay, what is between them goes; includes are left as they are."""

    def blank(match: re.Match[str]) -> str:
        found = match.group(0)
        line_start = text.rfind("\n", 0, match.start()) + 1
        if found.startswith('"') and _INCLUDE_LINE.match(text[line_start:match.start()]):
            return found
        blanked = _NOT_NEWLINE.sub(" ", found)
        if found[0] in "\"'":
            return found[0] + blanked[1:-1] + found[0]
        return blanked

    return _BLANKED.sub(blank, text)

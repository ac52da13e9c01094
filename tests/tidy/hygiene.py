"""Marks that must not reach the tree: unfinished work, tests that do not run, this machine's paths."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree import SourceFile, Tree, Violation

# Written in pieces so that these lines do not match themselves.
_MARKS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("unfinished", re.compile(r"\b(?:TO" r"DO|FIX" r"ME)\b"), "finish it, or write an issue"),
    ("skipped test", re.compile(r"\b(?:GTEST_" r"SKIP|DIS" r"ABLED_\w*)\b"), "a test that does not run proves nothing"),
    ("machine path", re.compile(r"(?<![\w./])/(?:wo" r"rk|ho" r"me)/"), "a path of one machine; derive it from the checkout"),
)


def check(tree: Tree) -> Iterator[Violation]:
    for file in tree.files.values():
        yield from _marks(file)
        if file.path.endswith(".h"):
            yield from _header_guard(file)


def _marks(file: SourceFile) -> Iterator[Violation]:
    for number, line in enumerate(file.lines, start=1):
        for rule, pattern, why in _MARKS:
            if match := pattern.search(line):
                yield Violation(file.path, number, rule, f"`{match.group(0)}`: {why}")


def guard_of(path: str) -> str:
    """node/env/storage.h -> DYNAMO_NODE_ENV_STORAGE_H_"""
    return "DYNAMO_" + re.sub(r"[^A-Za-z0-9]", "_", path).upper() + "_"


def _header_guard(file: SourceFile) -> Iterator[Violation]:
    guard = guard_of(file.path)
    directives = [(number, line.split()) for number, line in enumerate(file.code_lines, start=1) if line.startswith("#")]
    opened = [words for _, words in directives[:2]] == [["#ifndef", guard], ["#define", guard]]
    if not opened:
        line = directives[0][0] if directives else 1
        yield Violation(file.path, line, "header guard", f"the header must open with #ifndef {guard} and #define {guard}")
    elif file.lines[-1] != f"#endif  // {guard}":
        yield Violation(file.path, len(file.lines), "header guard", f"the header must end with `#endif  // {guard}`")

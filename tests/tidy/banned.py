"""Calls that would make the node's logic depend on more than its arguments and ports.

The simulator replays a seed only if core, protocol and service take time, chance,
threads and order from outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree import SourceFile, Tree, Violation

FOLDERS = ("node/core/", "node/protocol/", "node/service/")

_BANNED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), why)
    for pattern, why in (
        (r"::now\s*\(", "time comes from the Clock port or as an argument"),
        (r"\bstd::chrono::(?:system|high_resolution|utc|file)_clock\b", "time comes from the Clock port or as an argument"),
        (r"(?<![\w.>:])(?:std::|::)?(?:time|clock|gettimeofday|clock_gettime)\s*\(",
         "time comes from the Clock port or as an argument"),
        (r"\brandom_device\b|(?<![\w.>])s?rand\s*\(", "chance comes from the Random port or as an argument"),
        (r"\bstd::(?:jthread|thread|async|this_thread)\b", "a shard is one thread; work for other threads goes through a port"),
        (r"\bstd::(?:\w*mutex|\w*_lock|lock_guard|condition_variable\w*|atomic\w*|call_once|latch|barrier|\w*semaphore)\b",
         "a shard is one thread: there is nothing to lock"),
        (r"\bsleep_(?:for|until)\b|(?<![\w.>])u?sleep\s*\(", "wait on the Clock port, with a deadline"),
    )
)
_UNORDERED = re.compile(r"\bunordered_(?:multi)?(?:map|set)\b")
LOOKUP_ONLY = "// tidy: lookup only"
# The name that ends a member or variable declaration: `std::unordered_map<K, V> by_name_;`
_DECLARED = re.compile(r">\s*(\w+)\s*(?:;|=|\{)")


def check(tree: Tree) -> Iterator[Violation]:
    for file in tree.cpp:
        if file.path.startswith(FOLDERS):
            yield from _banned_calls(file)
            yield from _unordered_containers(file)
    yield from _iterated_lookups(tree)


def _banned_calls(file: SourceFile) -> Iterator[Violation]:
    for number, line in enumerate(file.code_lines, start=1):
        for pattern, why in _BANNED:
            if match := pattern.search(line):
                yield Violation(file.path, number, "banned call", f"`{match.group(0).strip()}`: {why}")


def _unordered_containers(file: SourceFile) -> Iterator[Violation]:
    for number, line in enumerate(file.code_lines, start=1):
        if not _UNORDERED.search(line) or line.lstrip().startswith("#"):
            continue
        if not file.lines[number - 1].rstrip().endswith(LOOKUP_ONLY):
            why = f"unordered iteration differs between runs; use std::map, or end the line with `{LOOKUP_ONLY}`"
            yield Violation(file.path, number, "unordered", why)


def _iterated_lookups(tree: Tree) -> Iterator[Violation]:
    """Holds `tidy: lookup only` to its word, in the file and, for a header, in its .cc."""
    for file in tree.cpp:
        if not file.path.startswith(FOLDERS):
            continue
        names = set()
        for raw, code in zip(file.lines, file.code_lines):
            if LOOKUP_ONLY in raw and (match := _DECLARED.search(code)):
                names.add(match[1])
        sibling = re.sub(r"\.h$", ".cc", file.path)
        for user in {file.path, sibling} & tree.files.keys():
            yield from _iterations(tree.files[user], names)


def _iterations(file: SourceFile, names: set[str]) -> Iterator[Violation]:
    for name in sorted(names):
        walk = re.compile(rf"for\s*\([^;]*:\s*(?:this->)?{name}\s*\)|\b{name}\.c?begin\s*\(")
        for number, line in enumerate(file.code_lines, start=1):
            if walk.search(line):
                yield Violation(file.path, number, "unordered", f"`{name}` is declared `{LOOKUP_ONLY[3:]}` but is iterated here")

"""Files that nothing builds, includes or names."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from layers import includes
from tree import Tree, Violation

# Functions of cmake/Layers.cmake that take every .cc under their folder.
_TAKES_ALL = re.compile(r"\b(?:dynamo_layer|dynamo_test)\s*\(|GLOB(?:_RECURSE)?\b[^)]*\*\.cc")


def check(tree: Tree) -> Iterator[Violation]:
    included = {path for file in tree.cpp for _, path, quoted in includes(file) if quoted}
    for file in tree.cpp:
        if file.path.endswith(".h") and file.path not in included:
            yield Violation(file.path, 1, "dead file", "no file includes this header")
        if file.path.endswith(".cc") and (why := _why_not_built(tree, file.path)):
            yield Violation(file.path, 1, "dead file", why)
    for path in tree.files:
        if path.endswith(".proto") and not _named_in_own_folder(tree, path):
            yield Violation(path, 1, "dead file", "no CMakeLists.txt beside it names this .proto")
        if posixpath.basename(path) == "CMakeLists.txt" and not _is_reached(tree, posixpath.dirname(path)):
            yield Violation(path, 1, "dead file", "the CMakeLists.txt above does not add this folder")


def _lists_above(tree: Tree, folder: str) -> Iterator[tuple[str, str]]:
    """(folder, text) of each CMakeLists.txt from `folder` upwards."""
    while True:
        text = tree.text_of(posixpath.join(folder, "CMakeLists.txt"))
        if text is not None:
            yield folder, text
        if not folder:
            return
        folder = posixpath.dirname(folder)


def _why_not_built(tree: Tree, path: str) -> str | None:
    for folder, text in _lists_above(tree, posixpath.dirname(path)):
        relative = posixpath.relpath(path, folder or ".")
        stem = posixpath.splitext(posixpath.basename(path))[0]
        if _TAKES_ALL.search(text) or relative in text or _has_word(text, stem):
            return None
        return f"{posixpath.join(folder, 'CMakeLists.txt')} builds nothing from this file"
    return "no CMakeLists.txt stands above this file"


def _is_reached(tree: Tree, folder: str) -> bool:
    above = next(_lists_above(tree, posixpath.dirname(folder)), None) if folder else None
    if above is None:
        return folder == ""
    return _has_word(above[1], posixpath.relpath(folder, above[0] or "."))


def _named_in_own_folder(tree: Tree, path: str) -> bool:
    nearest = next(_lists_above(tree, posixpath.dirname(path)), None)
    return nearest is not None and _has_word(nearest[1], posixpath.basename(path))


def _has_word(text: str, word: str) -> bool:
    without_comments = re.sub(r"#[^\n]*", "", text)
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", without_comments) is not None

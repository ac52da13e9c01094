"""One class, struct or enum of a qualified name in the whole tree: a program that links two of them takes one
destructor for both, and only a sanitizer says so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree import SourceFile, Tree, Violation

_NAMESPACE = re.compile(r"\bnamespace\b\s*([\w:]*)\s*$")
_TEMPLATE_HEAD = re.compile(r"\btemplate\s*<(?:[^<>]|<[^<>]*>)*>")
_TYPE = re.compile(
    r"\b(?:class|struct|union|enum)\s+(?:class\s+|struct\s+)?(?:\[\[[^\]]*\]\]\s*)?"
    r"(?P<name>[A-Za-z_][\w:]*(?:<[^{}()]*>)?)\s*(?:final\s*)?(?::[^:(].*)?$",
    re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)


def check(tree: Tree) -> Iterator[Violation]:
    first: dict[str, SourceFile] = {}
    for file in tree.cpp:
        for line, name in types_of(file):
            known = first.setdefault(name, file)
            if known is not file:
                yield Violation(file.path, line, "one definition", f"{name} is also defined in {known.path}; name one of them anew")


def types_of(file: SourceFile) -> Iterator[tuple[int, str]]:
    """The line and qualified name of each type that other files could see: none in a function or an unnamed namespace."""
    for line, scopes, head in heads_of(file, ends="{"):
        name = _opens(head)
        if name and all(scopes) and not _NAMESPACE.search(head):
            yield line, "::".join([*map(str, scopes), name])


def heads_of(file: SourceFile, ends: str = "{;") -> Iterator[tuple[int, list[str | None], str]]:
    """The text before each `{` or `;`, with its line and the names of the scopes around it: "" for an unnamed namespace,
    None for what is neither a namespace nor a type, as a function's body."""
    code = _DIRECTIVE.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), file.code)
    scopes: list[str | None] = []
    head_start = 0
    for match in re.finditer(r"[{};]", code):
        head, head_start = code[head_start:match.start()], match.end()
        if match.group(0) in ends:
            yield code.count("\n", 0, match.start()) + 1, list(scopes), head
        if match.group(0) == "}":
            if scopes:
                scopes.pop()
        elif match.group(0) == "{":
            scopes.append(_opens(head))


def _opens(head: str) -> str | None:
    """The name of the namespace or type whose body begins after `head`, if it is one."""
    if namespace := _NAMESPACE.search(head):
        return namespace.group(1)
    found = _TYPE.search(_TEMPLATE_HEAD.sub(" ", head))
    return re.sub(r"\s+", "", found.group("name")) if found else None

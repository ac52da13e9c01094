"""Unity builds (docs/decisions/0004-unity-builds.md) hold many files of a target in one: what the unnamed namespaces of
one library, or of one test program, define must have different names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from definitions import heads_of
from tree import SourceFile, Tree, Violation

_TYPE = re.compile(r"^(?:template\s*<.*>\s*)?(?:class|struct|union|enum(?:\s+class)?)\s+(\w+)", re.DOTALL)
_FUNCTION = re.compile(r"(~?\w+)\s*\((.*)\)[\s\w\->:<>*&]*$", re.DOTALL)
_VARIABLE = re.compile(r"(\w+)\s*(?:\[[^\]]*\])*\s*(?:=.*)?$", re.DOTALL)
_NEVER_UNITY = re.compile(r"set_target_properties\([\w ]+ PROPERTIES UNITY_BUILD OFF\)")
_NO_DEFINITION = re.compile(r"^(?:using|friend|static_assert|namespace|TEST|TEST_F|TEST_P|RC_GTEST\w*|extern)\b")


def check(tree: Tree) -> Iterator[Violation]:
    first: dict[tuple[str, ...], SourceFile] = {}
    for file in tree.cpp:
        target = _target_of(tree, file)
        if target is None:
            continue
        for line, scope, name in _names_of(file):
            known = first.setdefault((target, scope, name), file)
            if known is not file:
                yield Violation(file.path, line, "unity", f"{name} is also in the unnamed namespace of {known.path}")


def _target_of(tree: Tree, file: SourceFile) -> str | None:
    """The library or test program that the file is compiled into; None if that is never a unity build."""
    if not file.path.endswith(".cc"):
        return None
    build = next((text for folder in PurePosixPath(file.path).parents if (text := tree.files.get(f"{folder}/CMakeLists.txt"))), None)
    if build is None:
        return None
    is_test = file.path.endswith("_test.cc")
    if (_NEVER_UNITY.search(build.text) and (is_test or "dynamo_layer(" not in build.text)) or file.path.rpartition("/")[2] in build.text:
        return None  # A file that is named has a program, or a rule, of its own.
    return f"{build.path} {is_test}"


def _names_of(file: SourceFile) -> Iterator[tuple[int, str, str]]:
    """Line, named scopes around, and name of what is defined directly in an unnamed namespace."""
    for line, scopes, head in heads_of(file):
        if scopes[-1:] != [""]:
            continue
        head = re.sub(r"^\s*(?:\[\[[^\]]*\]\]\s*)?", "", head).strip()
        # What goes on after the braces of an initial value begins with an operator.
        if re.match(r"[A-Za-z_~]", head) and not _NO_DEFINITION.search(head) and (name := _name_in(head)):
            yield line, "::".join(filter(None, scopes)), name


def _name_in(head: str) -> str | None:
    if found := _TYPE.search(head):
        return found.group(1)
    declared = head.partition("=")[0] if "(" not in head.partition("=")[0] else head
    if "(" not in declared:
        found = _VARIABLE.search(declared.strip())
        return found.group(1) if found and " " in declared.strip() else None
    if found := _FUNCTION.search(re.sub(r"=\s*default$", "", head)):
        return f"{found.group(1)}({', '.join(_parameter_types(found.group(2)))})"
    return None


def _parameter_types(parameters: str) -> list[str]:
    """Without names and defaults, so that two overloads differ and two definitions do not."""
    flat = re.sub(r"\s+", " ", parameters)
    while (shorter := re.sub(r"<[^<>]*>|\([^()]*\)", lambda match: match.group(0).translate({44: 59, 60: 123, 62: 125, 40: 91, 41: 93}), flat)) != flat:
        flat = shorter
    return [re.sub(r"(?<=[\s&*>}\]])\w+$", "", part.partition("=")[0].strip()).strip() for part in flat.split(",") if part.strip()]

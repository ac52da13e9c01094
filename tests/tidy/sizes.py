"""Files and functions that have outgrown one reader: the walls of STYLE.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree import SourceFile, Tree, Violation

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
_SOURCE_SUFFIXES = (".cc", ".h", ".proto", ".py", ".sh", ".cmake", ".js", ".java", ".rs")


@dataclass(frozen=True)
class Function:
    line: int
    lines: int
    head: str


def check(tree: Tree) -> Iterator[Violation]:
    for file in tree.files.values():
        if not _is_source(file):
            continue
        if len(file.lines) > FILE_LINES_MAX:
            why = f"{len(file.lines)} lines, the wall is {FILE_LINES_MAX}: look for the second concept"
            yield Violation(file.path, FILE_LINES_MAX + 1, "file size", why)
        for function in functions_of(file):
            if function.lines > FUNCTION_LINES_MAX:
                why = f"`{function.head}` has {function.lines} lines, the wall is {FUNCTION_LINES_MAX}"
                yield Violation(file.path, function.line, "function size", why)


def _is_source(file: SourceFile) -> bool:
    return file.path.endswith(_SOURCE_SUFFIXES) or file.text.startswith("#!")


def functions_of(file: SourceFile) -> list[Function]:
    if file.is_cpp:
        return cpp_functions(file.code)
    if file.path.endswith(".py") or re.match(r"#!.*python", file.text):
        return python_functions(file.text)
    if file.path.endswith(".sh") or re.match(r"#!.*\b(?:ba)?sh\b", file.text):
        return shell_functions(file.lines)
    return []


_SCOPE_HEAD = re.compile(r"\b(?:namespace|class|struct|union|enum)\b(?![^{]*\)\s*(?:const|noexcept|override)?\s*$)|\bextern\s*\"")
# What is no part of any function's head: preprocessor lines, access specifiers.
_BETWEEN = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*|\b(?:public|protected|private)\s*:(?!:)", re.MULTILINE)


def cpp_functions(code: str) -> list[Function]:
    """Every brace block that stands directly in a namespace or class and is neither of these nor an initializer.

    `code` has its comments and literals blanked out. Lambdas count as part of the function they stand in.
    """
    code = _BETWEEN.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), code)
    found: list[Function] = []
    open_scopes = 0  # Namespaces and classes around here.
    block_depth = 0  # Braces of the function or initializer we are in; 0 outside of one.
    head_start = 0
    function: tuple[int, str] | None = None  # Where the open function's head starts, and its text.
    for match in re.finditer(r"[{};]", code):
        mark, here = match.group(0), match.start()
        if block_depth > 0:
            block_depth += {"{": 1, "}": -1}.get(mark, 0)
            if block_depth == 0:
                if function:
                    found.append(_measure(code, *function, end=here))
                head_start = here + 1
            continue
        head = code[head_start:here]
        if mark == "{" and _SCOPE_HEAD.search(head):
            open_scopes += 1
        elif mark == "{":
            block_depth = 1
            start = head_start + len(head) - len(head.lstrip())
            function = None if _is_initializer(head) else (start, head)
            continue
        elif mark == "}":
            open_scopes -= 1
        head_start = here + 1
    return found


def _is_initializer(head: str) -> bool:
    """`int table[] = {`, `Point p = Make{`: an assignment before any parameter list."""
    before_parameters = re.sub(r"template\s*<[^{}]*?>\s*(?=\w)", "", head).partition("(")[0]
    return "=" in before_parameters and "operator" not in before_parameters


def _measure(code: str, start: int, head: str, end: int) -> Function:
    name = " ".join(head.partition("(")[0].split())
    return Function(line=code.count("\n", 0, start) + 1, lines=code.count("\n", start, end) + 1, head=name)


def python_functions(text: str) -> list[Function]:
    return [
        Function(line=node.lineno, lines=(node.end_lineno or node.lineno) - node.lineno + 1, head=node.name)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]


def shell_functions(lines: list[str]) -> list[Function]:
    found: list[Function] = []
    start: tuple[int, str] | None = None
    for number, line in enumerate(lines, start=1):
        if match := re.match(r"(?:function\s+)?(\w[\w-]*)\s*\(\)\s*[{(]\s*(?:#.*)?$", line):
            start = (number, match[1])
        elif start and re.match(r"[})]", line):
            found.append(Function(line=start[0], lines=number - start[0] + 1, head=start[1]))
            start = None
    return found

"""A Result that comes out of `co_await` and is thrown away: a dropped error.

clang-tidy sees dropped Results of plain calls, but not through co_await.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree import SourceFile, Tree, Violation

_DECLARED = re.compile(r"\b(?:Async|asio::awaitable)<(?P<type>[^;(){}]*)>\s+(?:\w+::)*(?P<name>\w+)\s*\(")
_STATEMENT = re.compile(r"(?:^|[;{}]|\belse|(?<!\(void)\))\s*(?P<call>co_await\s+(?:[\w\]\[()*]+(?:\.|->|::))*(?P<name>\w+)\s*\()")


def check(tree: Tree) -> Iterator[Violation]:
    carriers = _functions_that_resume_with_a_result(tree)
    for file in tree.cpp:
        for match in _STATEMENT.finditer(file.code):
            if match["name"] in carriers and _is_whole_statement(file, match.end("call")):
                line = file.code.count("\n", 0, match.start("call")) + 1
                why = f"`co_await {match['name']}` gives a Result: handle it, or cast to void and say why"
                yield Violation(file.path, line, "dropped result", why)


def _functions_that_resume_with_a_result(tree: Tree) -> set[str]:
    """Names every declaration of which gives Status or Result; a name with two meanings is left alone."""
    carries: dict[str, bool] = {}
    for file in tree.cpp:
        for match in _DECLARED.finditer(file.code):
            is_result = re.match(r"(?:dynamo::)?(?:Status\b|Result<)", match["type"]) is not None
            carries[match["name"]] = carries.get(match["name"], True) and is_result
    return {name for name, is_result in carries.items() if is_result}


def _is_whole_statement(file: SourceFile, after_parenthesis: int) -> bool:
    depth = 1
    for position in range(after_parenthesis, len(file.code)):
        depth += {"(": 1, ")": -1}.get(file.code[position], 0)
        if depth == 0:
            return file.code[position + 1:].lstrip().startswith(";")
    return False

"""Every C++ file is as clang-format would write it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

from tree import Tree, Violation

PROGRAM = "clang-format-19"
_FINDING = re.compile(r"^(?P<path>[^:\n]+):(?P<line>\d+):\d+: (?:error|warning): code should be clang-formatted", re.MULTILINE)


def check(tree: Tree) -> Iterator[Violation]:
    paths = [file.path for file in tree.cpp]
    if not paths:
        return
    if shutil.which(PROGRAM) is None:
        yield Violation(".clang-format", 1, "format", f"{PROGRAM} is missing: install the package {PROGRAM}")
        return
    run = subprocess.run([PROGRAM, "--dry-run", "--Werror", "--ferror-limit=1", *paths],
                         cwd=tree.root, capture_output=True, text=True)
    findings = list(_FINDING.finditer(run.stderr))
    for finding in findings:
        yield Violation(finding["path"], int(finding["line"]), "format", f"run {PROGRAM} -i {finding['path']}")
    if run.returncode != 0 and not findings:
        yield Violation(".clang-format", 1, "format", f"{PROGRAM} failed: {run.stderr.strip()}")

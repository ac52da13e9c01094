#!/usr/bin/env python3
"""Checks the house rules over a checkout: tidy.py [ROOT].

Prints `file:line: rule: why` for each violation; exits 1 if there is one.
tidy_test.py shows each rule failing.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import banned
import definitions
import dropped
import formatting
import hygiene
import layers
import reach
import sizes
import unity
from tree import Tree, Violation

RULES = (layers, banned, definitions, unity, dropped, sizes, reach, hygiene, formatting)


def violations_of(tree: Tree) -> list[Violation]:
    return sorted({violation for rule in RULES for violation in rule.check(tree)})


def main(arguments: list[str]) -> int:
    started = time.monotonic()
    default_root = Path(__file__).resolve().parents[2]
    tree = Tree.of_checkout(Path(arguments[0]).resolve() if arguments else default_root)
    if not tree.cpp:
        print(f"{tree.root}: no C++ file found; is this the project's root?", file=sys.stderr)
        return 2
    found = violations_of(tree)
    for violation in found:
        print(violation)
    seconds = time.monotonic() - started
    print(f"tidy: {len(tree.files)} files, {len(found)} violations, {seconds:.1f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The one story every client tells: put, get, make siblings, resolve them, delete."""

from __future__ import annotations

import sys
from collections.abc import Callable


def run(steps: list[tuple[str, Callable[[], None]]]) -> None:
    """Prints `step ok` or `step FAIL why` for each; later steps need the earlier."""
    for name, step in steps:
        try:
            step()
        except Exception as error:  # What went wrong is what the table shows.
            print(f"{name} FAIL {type(error).__name__}: {error}".replace("\n", " "))
            sys.exit(1)
        print(f"{name} ok", flush=True)


def expect(condition: bool, what: object) -> None:
    if not condition:
        raise AssertionError(what)

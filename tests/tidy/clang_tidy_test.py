"""Shows that clang_tidy.py fails on what .clang-tidy forbids, and remembers only what passed."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import clang_tidy

PROJECT = Path(__file__).resolve().parents[2]
GOOD = "#include <string>\n#include <utility>\nstd::string F(std::string a) { return std::move(a); }\n"
USE_AFTER_MOVE = ("#include <string>\n#include <utility>\nvoid Take(std::string);\n"
                  "int G(std::string a) {\n  Take(std::move(a));\n  return a.size() > 1;\n}\n")


class ClangTidy(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()
        self.build = self.root / "build"
        self.build.mkdir()
        shutil.copy(PROJECT / ".clang-tidy", self.root)
        environment = mock.patch.dict(os.environ, XDG_CACHE_HOME=str(self.root / "cache"))
        environment.start()
        self.addCleanup(environment.stop)

    def check(self, files: dict[str, str]) -> tuple[int, str]:
        commands = []
        for path, text in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text)
            command = f"clang++-19 -I{self.root} -std=c++20 -o a.o -c {self.root / path}"
            commands.append({"directory": str(self.build), "file": str(self.root / path), "command": command})
        (self.build / "compile_commands.json").write_text(json.dumps(commands))
        clang_tidy.digest_of.cache_clear()  # As in a new process.
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            code = clang_tidy.main(["--root", str(self.root), str(self.build)])
        return code, printed.getvalue()

    def test_a_use_after_move_fails_and_names_the_place(self):
        code, printed = self.check({"node/core/a.cc": USE_AFTER_MOVE})
        self.assertEqual(code, 1)
        self.assertIn("node/core/a.cc:6:", printed)
        self.assertIn("bugprone-use-after-move", printed)

    def test_a_file_that_failed_is_checked_again(self):
        self.check({"node/core/a.cc": USE_AFTER_MOVE})
        self.assertEqual(self.check({"node/core/a.cc": USE_AFTER_MOVE})[0], 1)

    def test_a_file_that_passed_is_remembered_until_a_header_of_it_changes(self):
        source = {"node/core/a.cc": '#include "node/core/a.h"\n' + GOOD}
        header = self.root / "node/core/a.h"
        header.parent.mkdir(parents=True)
        header.write_text("int a();\n")
        self.assertIn("a.cc: checked", self.check(source)[1])
        self.assertNotIn("checked", self.check(source)[1])
        header.write_text("int a();  // Changed.\n")
        self.assertIn("a.cc: checked", self.check(source)[1])

    def test_a_cache_that_cannot_be_written_changes_no_verdict(self):
        (self.root / "cache").write_text("a file where the folder should be")
        code, printed = self.check({"node/core/a.cc": GOOD, "node/core/b.cc": USE_AFTER_MOVE})
        self.assertEqual(code, 1)
        self.assertIn("2 files, 1 failed", printed)

    def test_a_missing_generated_header_is_a_failure_that_says_so(self):
        code, printed = self.check({"node/core/a.cc": '#include "peer.pb.h"\n'})
        self.assertEqual(code, 1)
        self.assertIn("build first", printed)


if __name__ == "__main__":
    unittest.main()

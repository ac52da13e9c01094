"""Shows every rule failing: each test plants one violation in a tree that is clean without it."""

from __future__ import annotations

import subprocess
import tempfile
import unittest
from pathlib import Path

import sizes
from hygiene import guard_of
from tidy import violations_of
from tree import SourceFile, Tree, blank_comments_and_literals


def header(path: str, body: str = "") -> str:
    guard = guard_of(path)
    return f"#ifndef {guard}\n#define {guard}\n{body}\n#endif  // {guard}\n"


CLEAN = {
    ".clang-format": "DisableFormat: true\n",  # Only the formatting rule's own test turns it on.
    ".gitignore": "/build/\n",
    "CMakeLists.txt": "add_subdirectory(common)\nadd_subdirectory(node)\n",
    "common/CMakeLists.txt": "add_subdirectory(base)\n",
    "common/base/CMakeLists.txt": "dynamo_layer(base)\n",
    "common/base/bytes.h": header("common/base/bytes.h"),
    "common/base/bytes.cc": '#include "common/base/bytes.h"\n',
    "node/CMakeLists.txt": "foreach(layer IN ITEMS core protocol env service adapter)\n",
    **{f"node/{layer}/CMakeLists.txt": f"dynamo_layer({layer})\n" for layer in ("core", "protocol", "env", "service", "adapter")},
    "node/core/ring.h": header("node/core/ring.h", '#include "common/base/bytes.h"'),
    "node/core/ring.cc": '#include "node/core/ring.h"\n',
    "node/env/clock.h": header("node/env/clock.h", "#include <boost/asio.hpp>"),
    "node/env/clock.cc": '#include "node/env/clock.h"\n',
    "node/service/put.cc": '#include "node/env/clock.h"\n',
    "node/adapter/all.cc": "".join(f'#include "{h}"\n' for h in ("common/base/bytes.h", "node/core/ring.h", "node/env/clock.h")),
}


class TidyTest(unittest.TestCase):
    def found(self, planted: dict[str, str | None]) -> list[str]:
        """What the rules say of the clean tree with `planted` over it (None removes a file): `path:line: rule`."""
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for path, text in (CLEAN | planted).items():
                if text is not None:
                    (root / path).parent.mkdir(parents=True, exist_ok=True)
                    (root / path).write_text(text)
            subprocess.run(["git", "init", "-q", folder], check=True)
            return [f"{v.path}:{v.line}: {v.rule}" for v in violations_of(Tree.of_checkout(root))]

    def assert_one(self, expected: str, planted: dict[str, str | None]) -> None:
        self.assertEqual(self.found(planted), [expected])

    def assert_clean(self, planted: dict[str, str | None]) -> None:
        self.assertEqual(self.found(planted), [])


class Layers(TidyTest):
    def test_a_clean_tree_has_no_violation(self):
        self.assert_clean({})

    def test_a_layer_must_not_include_what_stands_to_its_left(self):
        self.assert_one("node/core/ring.cc:1: include", {"node/core/ring.cc": '#include "node/env/clock.h"\n#include "node/core/ring.h"\n'})
        self.assert_one("node/env/clock.cc:2: include",
                        {"node/env/clock.cc": '#include "node/env/clock.h"\n#include "node/service/put.h"\n',
                         "node/service/put.h": header("node/service/put.h")})

    def test_adapters_must_not_include_the_service(self):
        self.assert_one("node/adapter/tcp.cc:1: include",
                        {"node/adapter/tcp.cc": '#include "node/service/put.h"\n', "node/service/put.h": header("node/service/put.h")})

    def test_the_program_may_include_everything(self):
        self.assert_clean({"node/main.cc": '#include "node/service/put.h"\n', "node/service/put.h": header("node/service/put.h"),
                           "node/CMakeLists.txt": CLEAN["node/CMakeLists.txt"] + "add_executable(dynamo-node main.cc)\n"})

    def test_own_includes_are_written_from_the_root(self):
        self.assert_one("node/core/ring.cc:1: include", {"node/core/ring.cc": '#include "ring.h"\n'})

    def test_a_generated_header_counts_as_its_proto(self):
        self.assert_clean({"node/protocol/peer.proto": "", "node/protocol/CMakeLists.txt": "dynamo_layer(protocol PROTOS peer.proto)\n",
                           "node/service/put.cc": '#include "node/protocol/peer.pb.h"\n'})

    def test_asio_begins_in_env(self):
        self.assert_one("node/core/ring.cc:1: include", {"node/core/ring.cc": "#include <boost/asio/awaitable.hpp>\n"})
        self.assert_one("node/protocol/frame.cc:1: include", {"node/protocol/frame.cc": "#include <boost/asio.hpp>\n"})

    def test_only_adapters_know_rocksdb(self):
        self.assert_one("node/service/put.cc:1: include", {"node/service/put.cc": "#include <rocksdb/db.h>\n"})
        self.assert_clean({"node/adapter/store.cc": "#include <rocksdb/db.h>\n"})

    def test_a_folder_without_a_layer_is_an_error(self):
        self.assert_one("extra/a.cc:1: layer", {"extra/a.cc": "", "CMakeLists.txt": CLEAN["CMakeLists.txt"] + "extra/a.cc"})

    def test_an_include_in_a_comment_is_none(self):
        self.assert_clean({"node/core/ring.cc": '// #include "node/env/clock.h"\n'})


class Banned(TidyTest):
    def assert_banned(self, statement: str):
        self.assert_one("node/core/ring.cc:1: banned call", {"node/core/ring.cc": f"int f() {{ {statement}; }}\n"})

    def test_each_way_to_time_chance_threads_and_locks_is_found(self):
        for statement in (
            "auto t = Clock::now()", "return time(nullptr)", "return std::time(nullptr)", "return clock_gettime(a, b)",
            "std::random_device r", "return rand()", "srand(1)", "std::thread t", "std::jthread t", "std::mutex m",
            "std::scoped_lock l", "std::shared_mutex m", "std::condition_variable c", "std::atomic<int> a", "usleep(1)",
            "sleep_for(d)",
        ):
            with self.subTest(statement):
                self.assert_banned(statement)

    def test_a_use_of_the_ports_is_none(self):
        self.assert_clean({"node/core/ring.cc": "int f() { return clock->Now() + entry.time() + run_time(3) + random.Next(); }\n"})

    def test_names_in_comments_and_strings_are_none(self):
        self.assert_clean({"node/core/ring.cc": '// std::mutex\nauto f() { return "std::thread" /* rand() */; }\n'})

    def test_adapters_may_use_threads(self):
        self.assert_clean({"node/adapter/pool.cc": "std::thread t;\n"})

    def test_an_unordered_container_needs_its_promise(self):
        self.assert_one("node/service/put.cc:2: unordered", {"node/service/put.cc": "#include <unordered_map>\nstd::unordered_map<int, int> m;\n"})
        self.assert_clean({"node/service/put.cc": "std::unordered_map<int, int> m;  // tidy: lookup only\n"})

    def test_the_promise_is_checked(self):
        declaration = "std::unordered_map<int, int> m_;  // tidy: lookup only"
        self.assert_one("node/service/put.cc:2: unordered", {
            "node/service/put.h": header("node/service/put.h", declaration),
            "node/service/put.cc": '#include "node/service/put.h"\nvoid f() { for (auto& [k, v] : m_) g(k); }\n'})
        self.assert_one("node/service/put.cc:2: unordered", {"node/service/put.cc": declaration + "\nauto f() { return m_.begin(); }\n"})
        self.assert_clean({"node/service/put.cc": declaration + "\nauto f() { return m_.find(1); }\n"})


class Dropped(TidyTest):
    DECLARATIONS = "Async<Status> Save(int a);\nAsync<> Sleep(int a);\n"

    def found_in(self, body: str) -> list[str]:
        return self.found({"node/service/put.cc": f"{self.DECLARATIONS}Async<> F() {{\n  {body}\n}}\n"})

    def test_a_result_dropped_after_co_await_is_found(self):
        for body in ("co_await Save(1);", "co_await store_->Save(G(1));", "co_await Store::Save(1);", "if (a) co_await Save(1);"):
            with self.subTest(body):
                self.assertEqual(self.found_in(body), ["node/service/put.cc:4: dropped result"])

    def test_a_result_that_is_used_or_void_is_none(self):
        for body in ("auto a = co_await Save(1);", "co_return co_await Save(1);", "co_await Sleep(1);", "auto a =\n      co_await Save(1);",
                     "(void)co_await Save(1);", "if (!co_await Save(1)) G();", "a = (co_await Save(1)).error();", "G(co_await Save(1));"):
            with self.subTest(body):
                self.assertEqual(self.found_in(body), [])


class Sizes(TidyTest):
    def test_a_file_over_the_wall_is_found(self):
        self.assert_clean({"node/core/ring.cc": "int a;\n" * sizes.FILE_LINES_MAX})
        self.assert_one("node/core/ring.cc:401: file size", {"node/core/ring.cc": "int a;\n" * (sizes.FILE_LINES_MAX + 1)})

    def test_a_function_over_the_wall_is_found(self):
        def function_of(lines: int) -> str:
            return "namespace a {\n\nint F() {\n" + "  G();\n" * (lines - 2) + "}\n}  // namespace a\n"
        self.assert_clean({"node/core/ring.cc": function_of(sizes.FUNCTION_LINES_MAX)})
        self.assert_one("node/core/ring.cc:3: function size", {"node/core/ring.cc": function_of(sizes.FUNCTION_LINES_MAX + 1)})

    def test_scripts_have_the_same_walls(self):
        body = sizes.FUNCTION_LINES_MAX
        self.assert_one("a.py:1: function size", {"a.py": "def f():\n" + "    g()\n" * body})
        self.assert_one("run:2: function size", {"run": "#!/bin/bash\nf() {\n" + "  g\n" * body + "}\n"})

    def functions(self, text: str) -> list[tuple[str, int]]:
        return [(f.head, f.lines) for f in sizes.cpp_functions(SourceFile("a.cc", text).code)]

    def test_functions_are_measured_from_their_head_to_their_last_brace(self):
        self.assertEqual(self.functions("int F(int a,\n      int b) {\n  if (a) {\n    G();\n  }\n}\n"), [("int F", 6)])
        self.assertEqual(self.functions("class A {\n public:\n  int f() const { return 1; }\n};\n"), [("int f", 1)])
        self.assertEqual(self.functions("A::A(int x)\n    : x_(x) {\n}\n"), [("A::A", 3)])
        self.assertEqual(self.functions("TEST(A, B) {\n}\n"), [("TEST", 2)])
        self.assertEqual(self.functions("bool operator==(A a, A b) {\n}\n"), [("bool operator==", 2)])

    def test_functions_that_take_or_return_structs_are_functions(self):
        self.assertEqual(self.functions("int F(struct A a) {\n}\n"), [("int F", 2)])
        self.assertEqual(self.functions("template <class T>\nint F(T t) {\n}\n"), [("template <class T> int F", 3)])

    def test_tables_and_scopes_are_no_functions(self):
        self.assertEqual(self.functions("int table[] = {\n1,\n2};\nenum class E { kA };\nstruct B : C {\n};\n"), [])

    def test_macros_with_braces_do_not_confuse_the_count(self):
        self.assertEqual(self.functions("#define OPEN {\nint F() {\n}\n"), [("int F", 2)])


class Reach(TidyTest):
    def test_a_source_that_nothing_builds_is_found(self):
        self.assert_one("tests/lost/a.cc:1: dead file", {"tests/lost/a.cc": ""})

    def test_a_header_that_no_file_includes_is_found(self):
        self.assert_one("node/core/lost.h:1: dead file", {"node/core/lost.h": header("node/core/lost.h")})

    def test_a_source_named_in_a_list_is_built(self):
        self.assert_clean({"tests/fuzz/http.cc": "", "tests/fuzz/CMakeLists.txt": "foreach(target IN ITEMS http context)\n",
                           "CMakeLists.txt": CLEAN["CMakeLists.txt"] + "add_subdirectory(tests/fuzz)\n"})

    def test_a_folder_that_is_not_added_is_found(self):
        self.assert_one("node/api/CMakeLists.txt:1: dead file", {"node/api/CMakeLists.txt": "dynamo_layer(api)\n"})
        self.assert_one("common/base/CMakeLists.txt:1: dead file", {"common/CMakeLists.txt": "# add_subdirectory(base)\n"})

    def test_a_proto_that_is_not_generated_is_found(self):
        self.assert_one("node/protocol/peer.proto:1: dead file", {"node/protocol/peer.proto": ""})


class Definitions(TidyTest):
    TYPE = "namespace dynamo {\nclass Shard {\n  int a = 0;\n};\n}  // namespace dynamo\n"

    def test_two_types_of_one_name_are_found(self):
        planted = {"node/core/ring.cc": '#include "node/core/ring.h"\n' + self.TYPE, "node/service/put.cc": self.TYPE}
        self.assert_one("node/service/put.cc:2: one definition", planted)
        planted["node/service/put.cc"] = "namespace dynamo {\nenum class Shard : int { kA };\n}\n"
        self.assert_one("node/service/put.cc:2: one definition", planted)

    def test_nested_types_are_told_apart_by_what_they_are_in(self):
        nested = "namespace dynamo {\ntemplate <class T>\nstruct %s : Base<T> {\n public:\n  struct State { int a; };\n};\n}\n"
        both = {"node/core/ring.cc": '#include "node/core/ring.h"\n' + nested % "Ring", "node/service/put.cc": nested % "Put"}
        self.assert_clean(both)
        both["node/adapter/all.cc"] = CLEAN["node/adapter/all.cc"] + "struct dynamo::Put::State { int b; };\n"
        self.assert_one("node/service/put.cc:5: one definition", both)

    def test_what_other_files_cannot_see_may_share_a_name(self):
        unnamed = "namespace dynamo {\nnamespace {\nclass Shard {};\n}\nvoid f() {\n  struct Local { int a; };\n}\nclass Only;\n}\n"
        self.assert_clean({"node/core/ring.cc": '#include "node/core/ring.h"\n' + unnamed, "node/service/put.cc": unnamed})


class Unity(TidyTest):
    def unnamed(self, *lines: str) -> str:
        return "namespace dynamo {\nnamespace {\n" + "\n".join(lines) + "\n}  // namespace\n}  // namespace dynamo\n"

    def in_both(self, one: str, other: str | None = None) -> dict[str, str | None]:
        return {"node/service/put.cc": self.unnamed(one), "node/service/get.cc": self.unnamed(other or one)}

    def test_two_unnamed_namespaces_of_a_library_have_no_name_in_common(self):
        for line in ("constexpr int kMax = 3;", "constexpr Duration kMax{Seconds(3) << 20};", "struct State {\n  int a;\n};",
                     "template <class T>\nint Sum(const T& all) {\n  return 1;\n}", "enum class Kind : int { kA };"):
            brace = 4 if line.startswith("template") else 3
            self.assert_one(f"node/service/put.cc:{brace}: unity", self.in_both(line))

    def test_overloads_may_share_a_name_but_not_their_types(self):
        one = "int Sum(const Map<int, int>& a, int b = 3) {\n  return 1;\n}"
        self.assert_one("node/service/put.cc:3: unity", self.in_both(one, one.replace("& a", "& other").replace(" = 3", "")))
        self.assert_clean(self.in_both(one, one.replace("int b", "long b")))

    def test_what_is_said_twice_on_purpose_or_inside_of_something_is_fine(self):
        self.assert_clean(self.in_both("using std::vector;\nusing Names = vector<int>;", None))
        self.assert_clean(self.in_both("int F%s() {\n  int found = 3;\n  return found;\n}" % "a", "int Fb() {\n  int found = 3;\n  return found;\n}"))

    def test_files_of_other_libraries_or_programs_may_share_names(self):
        both = {"node/service/put.cc": self.unnamed("constexpr int kMax = 3;"),
                "node/core/ring.cc": '#include "node/core/ring.h"\n' + self.unnamed("constexpr int kMax = 3;")}
        self.assert_clean(both)
        tests = {"tests/a/one_test.cc": self.unnamed("constexpr int kMax = 3;"), "tests/a/two_test.cc": self.unnamed("constexpr int kMax = 4;"),
                 "tests/CMakeLists.txt": "add_subdirectory(a)\n", "CMakeLists.txt": CLEAN["CMakeLists.txt"] + "add_subdirectory(tests)\n"}
        build = 'dynamo_layer(a)\nfile(GLOB sources "*_test.cc")\nadd_executable(a_test ${sources})\n'
        self.assert_one("tests/a/two_test.cc:3: unity", tests | {"tests/a/CMakeLists.txt": build})
        self.assert_clean(tests | {"tests/a/CMakeLists.txt": build + "set_target_properties(a_test PROPERTIES UNITY_BUILD OFF)\n"})


class Hygiene(TidyTest):
    def test_marks_of_unfinished_work_are_found(self):
        self.assert_one("a.md:1: unfinished", {"a.md": "TO" "DO: later\n"})
        self.assert_one("node/core/ring.cc:1: unfinished", {"node/core/ring.cc": "// FIX" "ME\n"})

    def test_skipped_tests_are_found(self):
        self.assert_one("node/core/ring.cc:1: skipped test", {"node/core/ring.cc": "TEST(A, DIS" "ABLED_B) {}\n"})
        self.assert_one("node/core/ring.cc:1: skipped test", {"node/core/ring.cc": "void f() { GTEST_" "SKIP(); }\n"})

    def test_paths_of_one_machine_are_found(self):
        self.assert_one("run:2: machine path", {"run": "#!/bin/sh\ncd /wo" "rk/main\n"})
        self.assert_one("a.md:1: machine path", {"a.md": "see /ho" "me/me\n"})
        self.assert_clean({"a.md": "see frame/wo" "rk/x\n"})

    def test_a_wrong_header_guard_is_found(self):
        self.assert_one("common/base/bytes.h:1: header guard", {"common/base/bytes.h": header("common/base/other.h")})
        self.assert_one("common/base/bytes.h:1: header guard", {"common/base/bytes.h": "#pragma once\n"})
        text = header("common/base/bytes.h").replace("#endif  // DYNAMO_COMMON_BASE_BYTES_H_", "#endif")
        self.assert_one("common/base/bytes.h:4: header guard", {"common/base/bytes.h": text})

    def test_what_git_ignores_is_no_part_of_the_tree(self):
        self.assert_clean({"build/dev/a.cc": "// TO" "DO\n"})


class Formatting(TidyTest):
    def test_an_unformatted_file_is_found(self):
        self.assert_one("node/core/ring.cc:2: format", {".clang-format": "BasedOnStyle: Google\n", "node/core/ring.cc": "int a;\nint  b;\n"})


class Blanking(unittest.TestCase):
    def test_comments_and_literals_go_and_columns_stay(self):
        self.assertEqual(blank_comments_and_literals('a = "x//y"; // z'), 'a = "    ";     ')
        self.assertEqual(blank_comments_and_literals("f('\"', 1'000'000, '}');"), "f(' ', 1'000'000, ' ');")
        self.assertEqual(blank_comments_and_literals('R"({)" {'), 'R"({)" {'.replace('R"({)"', "      "))
        self.assertEqual(blank_comments_and_literals("a /* {\n} */ b"), "a     \n     b")


if __name__ == "__main__":
    unittest.main()

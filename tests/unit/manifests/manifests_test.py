"""The chart, the manifests, the operator's code and its documentation say the same."""

from __future__ import annotations

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]


def text(*parts: str) -> str:
    return ROOT.joinpath(*parts).read_text()


class ManifestsTest(unittest.TestCase):
    def test_the_chart_and_the_manifests_bring_one_definition(self) -> None:
        self.assertEqual(text("charts", "dynamo-operator", "templates", "crd.yaml"), text("manifests", "crd", "dynamoclusters.yaml"))

    def test_the_chart_and_the_manifests_grant_the_same(self) -> None:
        chart = re.search(r'"dynamo-operator.rules" -}}\n(.*?)\n{{- end', text("charts", "dynamo-operator", "templates", "_helpers.tpl"), re.S)
        manifest = text("manifests", "rbac", "rbac.yaml")
        self.assertIn("\n".join("  " + line for line in chart[1].splitlines()), manifest)

    def test_every_reason_and_event_is_documented(self) -> None:
        known = set(re.findall(r"`(\w+)`", text("docs", "operator", "conditions.md")))
        code = "".join(path.read_text() for path in sorted((ROOT / "operator").rglob("*.cc")))
        reasons = set(re.findall(r'Wait\{"(\w+)"', code)) | set(re.findall(r'Trouble\{"(\w+)"', code)) | set(re.findall(r'return \{"(\w+)", error', code))
        reasons |= set(re.findall(r'Stuck\([^;]*?\{"(\w+)"', code))
        events = set(re.findall(r'Finish\{[^;]*?"(\w+)"', code)) | set(re.findall(r'To\(operation, Step::\w+, "(\w+)"', code))
        conditions = set(re.findall(r'set\("(\w+)"', code))
        metrics = set(re.findall(r'"(dynamo_operator_\w+)"', code))
        self.assertGreater(len(reasons), 15)
        self.assertGreater(len(events), 3)
        self.assertEqual(sorted((reasons | events | conditions | metrics) - known - {"Paused", "Overtaken"}), [])


if __name__ == "__main__":
    unittest.main()

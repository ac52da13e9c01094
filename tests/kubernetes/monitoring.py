"""Alerts and dashboards of the chart: right, tested, documented, and over figures that really exist."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import tempfile

from kubernetes import HERE, Failed, run

ROOT = HERE.parent.parent
FOLDER = ROOT / "charts" / "dynamo-operator" / "monitoring"
RUNBOOKS = ROOT / "docs" / "operator" / "runbooks.md"
# The chart's values with all of it.
ON = ["--set", "monitoring.podMonitors=true,monitoring.rules=true,monitoring.dashboards=true,monitoring.labels.team=test"]
FIGURE = re.compile(r"\b(?:dynamo|workqueue|controller_runtime|rest_client|leader_election)_\w+")


def check_alerts() -> str:
    """By promtool; and each alert has a test in which it fires, and a section in the runbooks."""
    with tempfile.TemporaryDirectory() as folder:
        rules = [shutil.copy(path, folder) for path in sorted(FOLDER.glob("alerts-*.yaml"))]
        tests = [shutil.copy(path, folder) for path in sorted((HERE / "prometheus").glob("*.test.yaml"))]
        run(HERE / "promtool", "check", "rules", *rules)
        run(HERE / "promtool", "test", "rules", *tests)
        tested = set(re.findall(r"alertname: (\w+)\n *exp_alerts:\n *- exp_labels", "".join(map(text_of, tests))))
        alerts = set(re.findall(r"- alert: (\w+)", "".join(map(text_of, rules))))
    sections = set(re.findall(r"^## (\w+)$", RUNBOOKS.read_text(), re.M))
    if not alerts or alerts != tested or alerts != sections:
        raise Failed(f"alerts {sorted(alerts)}, tested {sorted(tested)}, in the runbooks {sorted(sections)}")
    return f"{len(alerts)} alerts, each fires in its test and has its runbook"


def text_of(path: str) -> str:
    return pathlib.Path(path).read_text()


def figures_of(part: str) -> set[str]:
    """That alerts and dashboards of `part` (nodes, operator) ask for."""
    dashboard = json.loads((FOLDER / f"dashboard-{part}.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked += re.findall(r"label_values\((\w+)", json.dumps(dashboard))
    asked += re.findall(r"expr: (?:\|\n)?((?:.|\n)*?)\n +(?:for|labels):", (FOLDER / f"alerts-{part}.yaml").read_text())
    return {re.sub(r"_bucket$", "", figure) for figure in FIGURE.findall("\n".join(asked))}


def check_figures(part: str, exported: str) -> int:
    """`exported`: what /metrics says. Returns how many figures are asked for."""
    known = set(re.findall(r"^# TYPE (\w+)", exported, re.M))
    asked = figures_of(part)
    if not asked or asked - known:
        raise Failed(f"alerts or dashboards ask for what nobody exports: {sorted(asked - known)}")
    return len(asked)

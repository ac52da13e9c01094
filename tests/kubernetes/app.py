"""A user's pod: an unchanged Riak client and a load, both by the name of the service."""

from __future__ import annotations

import json

from kubernetes import HERE, Failed, Kubernetes, wait_for

COMPAT = HERE.parent / "compat" / "python"


class App:
    """Of the cluster whose client Service is `service`."""

    def __init__(self, kube: Kubernetes, service: str) -> None:
        self.kube = kube
        self.service = service

    def start(self) -> None:
        files = [COMPAT / "openriak_client.py", COMPAT / "steps.py", HERE / "load.py"]
        self.kube.apply(self.kube.kubectl("create", "configmap", "app", "--dry-run=client", "--output", "yaml",
                                          *(f"--from-file={path}" for path in files)))
        self.kube.apply((HERE / "manifests" / "app.yaml").read_text())
        self.kube.kubectl("wait", "--for=condition=Ready", "pod/app", "--timeout=60s")

    def shell(self, script: str, seconds: float = 120) -> str:
        return self.kube.exec("app", "sh", "-c", script, seconds=seconds)

    def unchanged_client(self) -> str:
        output = self.shell(f"python3 /programs/openriak_client.py {self.service} 8098 app")
        wrong = [line for line in output.splitlines() if " ok" not in line]
        if wrong or output.count(" ok") != 5:
            raise Failed(f"the client said:\n{output}")
        return f"put, get, siblings, resolve and delete by the name {self.service}"

    def begin_load(self, prefix: str, forget: bool = True) -> None:
        """Runs on while the API server is away: nobody holds a connection to it. `forget`: what earlier loads
        have written is not read back again."""
        if forget:
            self.shell("rm -f /tmp/acknowledged")
        self.shell("touch /tmp/acknowledged; rm -f /tmp/said")
        before = int(self.shell("wc -c </tmp/acknowledged"))
        self.shell(f"nohup python3 /programs/load.py {self.service} write 900 {prefix} >/tmp/said 2>&1 &")
        wait_for("the load's first writes", 30, lambda: int(self.shell("wc -c </tmp/acknowledged")) > before)

    def end_load(self, may_fail: bool = False) -> str:
        """What the load counted; raises unless nothing failed (`may_fail`: while services still lead to a machine that
        is off) and every acknowledged write is there."""
        self.shell("touch /tmp/stop")
        wait_for("the load to end", 60, lambda: self.shell("cat /tmp/said").endswith("}\n"))
        counts = json.loads(self.shell("cat /tmp/said"))
        if counts["failed"] and not may_fail:
            raise Failed(f"{counts}")
        return (f"{counts['operations']} operations, {counts['retried']} retried, {counts['failed']} failed, slowest "
                f"{counts['slowest_ms']} ms; {self.check()} {counts['first_errors'] or ''}")

    def check(self) -> str:
        """Reads back what the loads have written; raises unless all that was acknowledged is there."""
        read = json.loads(self.shell(f"python3 /programs/load.py {self.service} check", seconds=600))
        if read["lost"] or not read["acknowledged"]:
            raise Failed(f"{read}")
        return f"{read['acknowledged']} acknowledged writes read back, {read['lost']} lost"

    def ask_node(self, pod: str, path: str) -> dict:
        """Of a node's admin API."""
        address = self.kube.get("pod", pod)["status"]["podIP"]
        return json.loads(self.shell(f"curl -sS -m 5 http://{address}:8091{path}"))


def is_ready(kube: Kubernetes, pod: str, uid_before: str = "") -> bool:
    found = kube.get("pod", pod)
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in found["status"]["conditions"])
    return ready and found["metadata"]["uid"] != uid_before

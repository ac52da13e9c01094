"""Nodes as plain StatefulSets, without the operator: three pods in three zones."""

from __future__ import annotations

import json
import time

from kubernetes import HERE, Failed, Kubernetes, wait_for

RACKS = {"a": "z1", "b": "z2", "c": "z3"}
PODS = [f"plain-{rack}-0" for rack in RACKS]
COMPAT = HERE.parent / "compat" / "python"


def manifest(name: str, **fields: str) -> str:
    text = (HERE / "manifests" / name).read_text()
    for field, value in fields.items():
        text = text.replace("{" + field + "}", value)
    return text


def start_app(kube: Kubernetes) -> None:
    files = [COMPAT / "openriak_client.py", COMPAT / "steps.py", HERE / "load.py"]
    config = kube.kubectl("create", "configmap", "app", "--dry-run=client", "--output", "yaml",
                          *(f"--from-file={path}" for path in files))
    kube.apply(config)
    kube.apply(manifest("app.yaml"))
    kube.kubectl("wait", "--for=condition=Ready", "pod/app", "--timeout=60s")


def identity(kube: Kubernetes, pod: str) -> dict:
    return json.loads(kube.exec("app", "curl", "-sS", "-m", "5", f"http://{address(kube, pod)}:8091/identity"))


def address(kube: Kubernetes, pod: str) -> str:
    return kube.get("pod", pod)["status"]["podIP"]


def hints(kube: Kubernetes, pods: list[str]) -> int:
    """Kept for others on all of them together."""
    return sum(json.loads(kube.exec("app", "curl", "-sS", "-m", "5", f"http://{address(kube, pod)}:8091/hints"))["total"]
               for pod in pods)


def is_ready(kube: Kubernetes, pod: str, uid_before: str = "") -> bool:
    found = kube.get("pod", pod)
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in found["status"]["conditions"])
    return ready and found["metadata"]["uid"] != uid_before


def create_cluster(kube: Kubernetes) -> str:
    started = time.monotonic()
    kube.apply(manifest("services.yaml"))
    for rack, zone in RACKS.items():
        kube.apply(manifest("rack.yaml", rack=rack, zone=zone))
    for pod in PODS:
        wait_for(f"{pod} to answer", 120, lambda pod=pod: identity(kube, pod)["emptyVolume"])
    running = time.monotonic() - started
    members = ",".join(f"{address(kube, pod)}:8099" for pod in PODS)
    kube.ctl(PODS[0], "cluster", "create", "--members", members, "--partitions", "64")
    for pod in PODS:
        wait_for(f"{pod} to be ready", 60, lambda pod=pod: is_ready(kube, pod))
    zones = {kube.get("node", kube.get("pod", pod)["spec"]["nodeName"])["metadata"]["labels"]
             ["topology.kubernetes.io/zone"] for pod in PODS}
    if zones != set(RACKS.values()):
        raise Failed(f"the pods are in the zones {zones}")
    return f"3 pods in 3 zones; running after {running:.1f} s, ready after {time.monotonic() - started:.1f} s"


def unchanged_client(kube: Kubernetes) -> str:
    output = kube.exec("app", "python3", "/programs/openriak_client.py", "plain", "8098", "plain")
    wrong = [line for line in output.splitlines() if " ok" not in line]
    if wrong or output.count(" ok") != 5:
        raise Failed(f"the client said:\n{output}")
    return "put, get, siblings, resolve and delete by the name plain"


def deleted_pod_comes_back(kube: Kubernetes) -> str:
    """Under load: same volume, same node id, its hints delivered, nothing lost."""
    victim, others = PODS[1], [PODS[0], PODS[2]]
    before, found = identity(kube, victim), kube.get("pod", victim)
    load = kube.start("exec", "app", "--", "python3", "/programs/load.py", "plain", "write", "120", "deleted")
    wait_for("the load's first writes", 30, lambda: int(kube.exec("app", "sh", "-c", "wc -c </tmp/acknowledged")) > 0)
    started = time.monotonic()
    kube.kubectl("delete", "pod", victim, "--wait=false")
    wait_for(f"{victim} to be back", 120, lambda: is_ready(kube, victim, found["metadata"]["uid"]))
    back = time.monotonic() - started
    kube.exec("app", "touch", "/tmp/stop")
    counts = json.loads(load.communicate(timeout=60)[0])
    wait_for("all hints to be delivered", 60, lambda: hints(kube, others) == 0)
    delivered = time.monotonic() - started
    after = identity(kube, victim)
    if (after["nodeID"], after["clusterID"]) != (before["nodeID"], before["clusterID"]):
        raise Failed(f"another identity: {before} became {after}")
    read = json.loads(kube.exec("app", "python3", "/programs/load.py", "plain", "check", seconds=300))
    if counts["failed"] or read["lost"] or not read["acknowledged"]:
        raise Failed(f"{counts} {read}")
    return (f"ready again after {back:.1f} s, node id {after['nodeID'][:8]} kept, hints 0 after {delivered:.1f} s; "
            f"{counts['operations']} operations, {counts['retried']} retried, {counts['failed']} failed; "
            f"{read['acknowledged']} acknowledged writes read back, {read['lost']} lost {counts['first_errors']}")


STEPS = [("plain: create", create_cluster), ("plain: an unchanged client", unchanged_client),
         ("plain: a deleted pod", deleted_pod_comes_back)]


def setup(kube: Kubernetes) -> None:
    start_app(kube)

"""An operated cluster grows and shrinks under load: kubectl scale, and the load's every acknowledged write."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import clusters
from app import App
from kubernetes import Failed, Kubernetes, Watch, wait_for

SELECTOR = "app.kubernetes.io/name=dynamo,app.kubernetes.io/instance=demo,app.kubernetes.io/component=node"


def scale(kube: Kubernetes, replicas: int) -> None:
    kube.kubectl("scale", "dyn/demo", f"--replicas={replicas}")


def nodes(kube: Kubernetes) -> dict[str, dict]:
    return {node["name"]: node for node in kube.get("dyn", "demo")["status"]["nodes"]}


def volumes(kube: Kubernetes) -> set[str]:
    return {claim["metadata"]["name"] for claim in kube.get("pvc", "--selector", SELECTOR)["items"]}


def events(kube: Kubernetes, reason: str) -> int:
    """How often the operator said so."""
    found = kube.get("events", "--field-selector", f"reason={reason},involvedObject.name=demo")["items"]
    return sum(event.get("count") or 1 for event in found)


def settle(kube: Kubernetes, replicas: int) -> None:
    """All pods of that size serve, each with its share, and nothing else is there."""
    clusters.wait_until_ready(kube, "demo", 400)
    found = nodes(kube)
    wrong = [node for node in found.values() if node["state"] != "Normal" or not node["ready"] or not node["vnodes"]]
    zones = [sum(node["zone"] == zone for node in found.values()) for zone in ("z1", "z2", "z3")]
    if len(found) != replicas or wrong or max(zones) - min(zones) > 1 or sum(n["vnodes"] for n in found.values()) != 64:
        raise Failed(f"not {replicas} nodes over three zones that share 64 partitions: {found}")


def expect_seen(watch: Watch, *lines: tuple[str, ...]) -> None:
    """`kubectl get dyn -o wide --watch` showed a line with all of these words, for each of the tuples."""
    said = watch.stop()
    for words in lines:
        if not any(all(word in line.split() for word in words) for line in said.splitlines()):
            raise Failed(f"kubectl get dyn never showed {' '.join(words)}:\n{said}")


def under_load(kube: Kubernetes, name: str, change: Callable[[], None]) -> str:
    app, started = App(kube, "demo"), time.monotonic()
    app.begin_load(name, forget=False)
    change()
    took = time.monotonic() - started
    return f"settled after {took:.1f} s; {app.end_load()}"


def grow(kube: Kubernetes) -> str:
    def change() -> None:
        watch = kube.watch("get", "dyn", "demo", "--output", "wide")
        scale(kube, 6)
        settle(kube, 6)
        expect_seen(watch, ("True", "ScaleUp", "AddPod"), ("True", "ScaleUp", "Join"), ("True", "Settled"))

    said = under_load(kube, "grow", change)
    if len(volumes(kube)) != 6 or events(kube, "NodeJoined") != 3:
        raise Failed(f"volumes {volumes(kube)}, {events(kube, 'NodeJoined')} times NodeJoined")
    return f"3 to 6: {said}"


def change_of_mind(kube: Kubernetes) -> str:
    """Down, and up again while a node is on its way out: it is asked to stay."""
    before = nodes(kube)

    def change() -> None:
        scale(kube, 5)
        wait_for("a node to be on its way out", 60, lambda: any(n["state"] == "Leaving" for n in nodes(kube).values()))
        scale(kube, 6)
        settle(kube, 6)

    said = under_load(kube, "mind", change)
    after = nodes(kube)
    stayed = sum(after[name]["nodeID"] == node["nodeID"] for name, node in before.items())
    if events(kube, "DecommissionCancelled") != 1 or stayed != 6 or len(volumes(kube)) != 6:
        raise Failed(f"{before} became {after}, volumes {volumes(kube)}")
    return f"6 to 5 and back in the middle: 6 node ids stayed; {said}"


def shrink(kube: Kubernetes) -> str:
    first = {name: node["nodeID"] for name, node in nodes(kube).items() if name.endswith("-0")}

    def change() -> None:
        watch = kube.watch("get", "dyn", "demo", "--output", "wide")
        scale(kube, 3)
        settle(kube, 3)
        expect_seen(watch, ("True", "ScaleDown", "Leave"), ("True", "ScaleDown", "RemovePod"), ("True", "Settled"))

    said = under_load(kube, "shrink", change)
    if {name: node["nodeID"] for name, node in nodes(kube).items()} != first:
        raise Failed(f"{first} became {nodes(kube)}")
    # Deleted by the operator, once the pods that used them are gone.
    wait_for("the volumes of those that left to be gone", 30, lambda: len(volumes(kube)) == 3)
    return f"6 to 3: the first 3 nodes and their volumes are left; {said}"


def kept_volume(kube: Kubernetes) -> str:
    """whenScaled: Retain. A disk that has left never joins again by itself."""
    kube.kubectl("patch", "dyn", "demo", "--type=merge", "--patch",
                 json.dumps({"spec": {"storage": {"retention": {"whenScaled": "Retain"}}}}))
    scale(kube, 4)
    settle(kube, 4)
    scale(kube, 3)
    settle(kube, 3)
    if "data-demo-a-1" not in volumes(kube) or len(volumes(kube)) != 4:
        raise Failed(f"volumes {volumes(kube)}")
    scale(kube, 4)
    # The node's own last words.
    message = clusters.wait_for_reason(kube, "demo", "PodsBlocked", "empty its volume to start it as a new node")
    kube.kubectl("delete", "pvc", "data-demo-a-1", "--wait=false")
    kube.kubectl("delete", "pod", "demo-a-1")
    settle(kube, 4)
    scale(kube, 3)
    settle(kube, 3)
    return f"kept; '{message}'; joined after its deletion"


def hibernate_and_wake(kube: Kubernetes) -> str:
    """No pod runs and every volume stays; the same nodes come back, with all that was written."""
    before = {name: node["nodeID"] for name, node in nodes(kube).items()}
    kept = volumes(kube)
    app = App(kube, "demo")
    app.begin_load("sleep", forget=False)
    said = app.end_load()
    kube.kubectl("patch", "dyn", "demo", "--type=merge", '--patch={"spec": {"hibernated": true}}')
    asleep = wait_for("the cluster to sleep", 180, lambda: clusters.condition(kube, "demo", "Hibernated")["status"] == "True")
    if (pods := kube.get("pods", "--selector", SELECTOR)["items"]) or volumes(kube) != kept:
        raise Failed(f"pods {[pod['metadata']['name'] for pod in pods]}, volumes {volumes(kube)}")
    kube.kubectl("patch", "dyn", "demo", "--type=merge", '--patch={"spec": {"hibernated": false}}')
    awake = clusters.wait_until_ready(kube, "demo", 180)
    if (after := {name: node["nodeID"] for name, node in nodes(kube).items()}) != before:
        raise Failed(f"{before} became {after}")
    return f"asleep after {asleep:.1f} s, its volumes kept; awake after {awake:.1f} s; before: {said}; after: {app.check()}"


STEPS = [("scaling: grow", grow), ("scaling: change of mind", change_of_mind), ("scaling: shrink", shrink),
         ("scaling: a kept volume", kept_volume), ("scaling: hibernate and wake", hibernate_and_wake)]


def setup(kube: Kubernetes) -> None:
    clusters.install(kube)
    clusters.create(kube)
    App(kube, "demo").start()


def teardown(kube: Kubernetes) -> None:
    clusters.teardown(kube)

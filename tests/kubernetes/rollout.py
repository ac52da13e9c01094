"""An operated cluster gets other images and settings under load, one node after the other."""

from __future__ import annotations

import json
import time

import clusters
import scaling
from app import App
from kubernetes import HERE, Failed, Kubernetes, run, wait_for

MACHINES = ("n1", "n2", "n3")


def patch(kube: Kubernetes, **spec: object) -> None:
    kube.kubectl("patch", "dyn", "demo", "--type=merge", "--patch", json.dumps({"spec": spec}))


def node_ids(kube: Kubernetes) -> dict[str, str]:
    return {name: node["nodeID"] for name, node in scaling.nodes(kube).items()}


def images(kube: Kubernetes) -> set[str]:
    pods = kube.get("pods", "--selector", scaling.SELECTOR)["items"]
    return {pod["spec"]["containers"][0]["image"] for pod in pods}


def pod_uids(kube: Kubernetes) -> dict[str, str]:
    pods = kube.get("pods", "--selector", scaling.SELECTOR)["items"]
    return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in pods}


def restarted_since(kube: Kubernetes, before: dict[str, str]) -> list[str]:
    return sorted(name for name, uid in pod_uids(kube).items() if before[name] != uid)


def rolled_out(kube: Kubernetes, name: str, **spec: object) -> str:
    """Every node is restarted once, stays the same node, and the load notices nothing."""
    ids, uids, times = node_ids(kube), pod_uids(kube), scaling.events(kube, "NodeRestarted")
    app, started = App(kube, "demo"), time.monotonic()
    app.begin_load(name, forget=False)
    patch(kube, **spec)
    clusters.wait_until_ready(kube, "demo", 300)
    took, said = time.monotonic() - started, app.end_load()
    if restarted_since(kube, uids) != sorted(uids) or scaling.events(kube, "NodeRestarted") != times + 3:
        raise Failed(f"restarted {restarted_since(kube, uids)}, {scaling.events(kube, 'NodeRestarted') - times} times NodeRestarted")
    if node_ids(kube) != ids:
        raise Failed(f"{ids} became {node_ids(kube)}")
    return f"3 nodes, each once and the same node, after {took:.1f} s; {said}"


def an_image(kube: Kubernetes) -> str:
    said = rolled_out(kube, "image", version="next")
    if images(kube) != {"localhost/dynamo:next"}:
        raise Failed(f"images {images(kube)}")
    return said


def settings(kube: Kubernetes) -> str:
    return rolled_out(kube, "settings", config={"siblings-max": "60"})


def a_broken_image(kube: Kubernetes) -> str:
    """It stops at the first pod and says why; set back, that pod alone is made anew."""
    uids, app = pod_uids(kube), App(kube, "demo")
    app.begin_load("broken", forget=False)
    patch(kube, image="localhost/none:1")
    message = clusters.wait_for_reason(kube, "demo", "PodsBlocked", "localhost/none:1")
    time.sleep(20)
    stopped_at = restarted_since(kube, uids)
    available = clusters.condition(kube, "demo", "Available")["status"]
    patch(kube, image="")
    healed = clusters.wait_until_ready(kube, "demo", 200)
    said = app.end_load()
    if stopped_at != ["demo-c-0"] or restarted_since(kube, uids) != stopped_at or available != "True":
        raise Failed(f"stopped at {stopped_at}, in the end {restarted_since(kube, uids)}, Available {available}")
    return f"'{message[:60]}...', two pods untouched; set back: Ready after {healed:.1f} s; {said}"


def a_canary(kube: Kubernetes) -> str:
    uids = pod_uids(kube)
    patch(kube, restartToken="canary", update={"partition": 2, "minReadySeconds": 3})
    clusters.wait_until_ready(kube, "demo", 120)
    first = restarted_since(kube, uids)
    pending = clusters.condition(kube, "demo", "UpdatePending")
    patch(kube, update={"partition": 0})
    clusters.wait_until_ready(kube, "demo", 200)
    if first != ["demo-c-0"] or pending["reason"] != "RolloutPending" or restarted_since(kube, uids) != sorted(uids):
        raise Failed(f"first {first}, {pending}, in the end {restarted_since(kube, uids)}")
    return f"first {first[0]} alone ('{pending['message']}'), then the others"


def another_operator(kube: Kubernetes) -> str:
    """One that makes pods in another way, here of another repository: 0 pods are restarted."""
    uids = pod_uids(kube)
    kube.shell("helm", "upgrade", "dynamo-operator", str(clusters.CHART), "--namespace", kube.namespace, "--reuse-values",
               "--set", "image.repository=localhost/other", "--wait", "--timeout", "2m", seconds=150)
    wait_for("the newer template to be named", 60, lambda: clusters.condition(kube, "demo", "UpdatePending")["reason"] == "PodsOfOlderTemplate")
    time.sleep(30)
    clusters.wait_until_ready(kube, "demo", 60)
    if restarted_since(kube, uids):
        raise Failed(f"restarted {restarted_since(kube, uids)}")
    return "0 pods restarted, UpdatePending names the newer template, Ready"


STEPS = [("rollout: an image", an_image), ("rollout: settings", settings), ("rollout: a broken image", a_broken_image),
         ("rollout: a canary", a_canary), ("rollout: another operator", another_operator)]


def setup(kube: Kubernetes) -> None:
    for machine in MACHINES:
        for image in ("localhost/dynamo:next", "localhost/other:next", "localhost/other:test"):
            run(HERE / "node", "exec", machine, "ctr", "--namespace", "k8s.io", "images", "tag", "--force", "localhost/dynamo:test", image)
    clusters.install(kube)
    kube.apply(clusters.cluster("demo", update={"minReadySeconds": 3}))
    clusters.wait_until_ready(kube, "demo", 180)
    App(kube, "demo").start()


def teardown(kube: Kubernetes) -> None:
    clusters.teardown(kube)

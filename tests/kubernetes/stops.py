"""The operator dies in the middle, on the real thing: one in five of its writes, another fifth with each seed.

Every point is swept against the fake API server (tests/unit/operator); here are real StatefulSets, volumes and nodes.
"""

from __future__ import annotations

import json
import os
import subprocess
import time

import clusters
import definition
import scaling
from app import App
from kubernetes import HERE, Failed, Kubernetes, wait_for

EVERY = 5
SEED = int(os.environ.get("DYNAMO_TEST_SEED", time.time() // 86400))


class StoppedOperator:
    def __init__(self, kube: Kubernetes, flow: int) -> None:
        offset = (SEED + flow) % EVERY + 1
        self._process = subprocess.Popen(
            [HERE / "cluster", "shell", "python3", HERE / "stopped_operator.py", kube.binaries / "dynamo-operator",
             kube.namespace, str(EVERY), str(offset)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def end(self) -> str:
        """What was stopped; raises if nothing was."""
        self._process.terminate()
        said = json.loads(self._process.communicate(timeout=20)[0])
        if len(said["stops"]) < 2:
            raise Failed(f"the operator was stopped at {said} only")
        return f"stopped at {len(said['stops'])} of {said['attempts']} writes ({', '.join(sorted(set(said['stops'])))})"


def volume_uids(kube: Kubernetes) -> dict[str, str]:
    claims = kube.get("pvc", "--selector", scaling.SELECTOR)["items"]
    return {claim["metadata"]["name"]: claim["metadata"]["uid"] for claim in claims}


def ends_as_if_never_stopped(kube: Kubernetes, replicas: int) -> None:
    scaling.settle(kube, replicas)
    status = kube.get("dyn", "demo")["status"]
    pods = kube.get("pods", "--selector", scaling.SELECTOR)["items"]
    wait_for("the volumes to be as many as the pods", 30, lambda: len(volume_uids(kube)) == replicas)
    if status.get("operation") or len(pods) != replicas or status["ring"]["underReplicated"] != 0:
        raise Failed(f"{len(pods)} pods, status {status}")
    if scaling.events(kube, "Created") > 1:
        raise Failed("a second ring was formed")


def create(kube: Kubernetes) -> str:
    operator = StoppedOperator(kube, 0)
    kube.apply(clusters.cluster("demo"))
    ends_as_if_never_stopped(kube, 3)
    return operator.end()


def scale_under_load(kube: Kubernetes, flow: int, replicas: int) -> str:
    before, id_before = volume_uids(kube), kube.get("dyn", "demo")["status"]["clusterID"]
    app, operator = App(kube, "demo"), StoppedOperator(kube, flow)
    app.begin_load(f"stops-{replicas}", forget=False)
    scaling.scale(kube, replicas)
    ends_as_if_never_stopped(kube, replicas)
    said = f"{operator.end()}; {app.end_load()}"
    after = volume_uids(kube)
    if any(after[claim] != before[claim] for claim in before.keys() & after.keys()):
        raise Failed(f"the volumes {before} became {after}")
    if kube.get("dyn", "demo")["status"]["clusterID"] != id_before:
        raise Failed("another cluster id")
    return said


def scale_up(kube: Kubernetes) -> str:
    return scale_under_load(kube, 1, 4)


def scale_down(kube: Kubernetes) -> str:
    return scale_under_load(kube, 2, 3)


def pod_uids(kube: Kubernetes) -> set[str]:
    return {pod["metadata"]["uid"] for pod in kube.get("pods", "--selector", scaling.SELECTOR)["items"]}


def lost_volume(kube: Kubernetes) -> str:
    before = scaling.nodes(kube)["demo-b-0"]["nodeID"]
    app, operator = App(kube, "demo"), StoppedOperator(kube, 3)
    app.begin_load("stops-lost", forget=False)
    kube.kubectl("delete", "pvc", "data-demo-b-0", "--wait=false")
    kube.kubectl("delete", "pod", "demo-b-0")
    # No event is waited for: it may have been the operator's last thought.
    wait_for("another node in its place", 300, lambda: scaling.nodes(kube)["demo-b-0"]["nodeID"] != before)
    ends_as_if_never_stopped(kube, 3)
    return f"{operator.end()}; {app.end_load()}"


def rollout(kube: Kubernetes) -> str:
    before, volumes = pod_uids(kube), volume_uids(kube)
    app, operator = App(kube, "demo"), StoppedOperator(kube, 4)
    app.begin_load("stops-rollout", forget=False)
    kube.kubectl("patch", "dyn", "demo", "--type=merge", "--patch",
                 json.dumps({"spec": {"restartToken": "stops", "update": {"minReadySeconds": 3}}}))
    ends_as_if_never_stopped(kube, 3)
    said = f"{operator.end()}; {app.end_load()}"
    if before & pod_uids(kube) or volume_uids(kube) != volumes:
        raise Failed(f"pods {before} became {pod_uids(kube)}, volumes {volumes} became {volume_uids(kube)}")
    return said


STEPS = [("stops: create", create), ("stops: scale up", scale_up), ("stops: scale down", scale_down),
         ("stops: a lost volume", lost_volume), ("stops: a rollout", rollout)]


def setup(kube: Kubernetes) -> None:
    definition.setup(kube)
    App(kube, "demo").start()
    print(f"the operator dies at one in {EVERY} of its writes, seed {SEED}", flush=True)


def teardown(kube: Kubernetes) -> None:
    kube.kubectl("delete", "dyn", "--all", "--timeout=60s")
    definition.removed(kube)

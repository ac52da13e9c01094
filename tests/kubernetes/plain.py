"""Nodes as plain StatefulSets, without the operator: three pods in three zones."""

from __future__ import annotations

import time

from app import App, is_ready
from kubernetes import HERE, Failed, Kubernetes, wait_for

RACKS = {"a": "z1", "b": "z2", "c": "z3"}
PODS = [f"plain-{rack}-0" for rack in RACKS]


def manifest(name: str, **fields: str) -> str:
    text = (HERE / "manifests" / name).read_text()
    for field, value in fields.items():
        text = text.replace("{" + field + "}", value)
    return text


def create_cluster(kube: Kubernetes) -> str:
    app, started = App(kube, "plain"), time.monotonic()
    kube.apply(manifest("services.yaml"))
    for rack, zone in RACKS.items():
        kube.apply(manifest("rack.yaml", rack=rack, zone=zone))
    for pod in PODS:
        wait_for(f"{pod} to answer", 120, lambda pod=pod: app.ask_node(pod, "/identity")["emptyVolume"])
    running = time.monotonic() - started
    members = ",".join(f"{kube.get('pod', pod)['status']['podIP']}:8099" for pod in PODS)
    kube.ctl(PODS[0], "cluster", "create", "--members", members, "--partitions", "64")
    for pod in PODS:
        wait_for(f"{pod} to be ready", 60, lambda pod=pod: is_ready(kube, pod))
    zones = {kube.get("node", kube.get("pod", pod)["spec"]["nodeName"])["metadata"]["labels"]
             ["topology.kubernetes.io/zone"] for pod in PODS}
    if zones != set(RACKS.values()):
        raise Failed(f"the pods are in the zones {zones}")
    return f"3 pods in 3 zones; running after {running:.1f} s, ready after {time.monotonic() - started:.1f} s"


def unchanged_client(kube: Kubernetes) -> str:
    return App(kube, "plain").unchanged_client()


def deleted_pod_comes_back(kube: Kubernetes, service: str = "plain", pods: list[str] = PODS) -> str:
    """Under load: same volume, same node id, its hints delivered, nothing lost."""
    app, victim = App(kube, service), pods[1]
    before, uid = app.ask_node(victim, "/identity"), kube.get("pod", victim)["metadata"]["uid"]
    app.begin_load("deleted")
    started = time.monotonic()
    kube.kubectl("delete", "pod", victim, "--wait=false")
    wait_for(f"{victim} to be back", 120, lambda: is_ready(kube, victim, uid))
    back = time.monotonic() - started
    wait_for("all hints to be delivered", 60, lambda: sum(app.ask_node(pod, "/hints")["total"] for pod in pods) == 0)
    delivered = time.monotonic() - started
    said = app.end_load()
    after = app.ask_node(victim, "/identity")
    if (after["nodeID"], after["clusterID"]) != (before["nodeID"], before["clusterID"]):
        raise Failed(f"another identity: {before} became {after}")
    return (f"ready again after {back:.1f} s, node id {after['nodeID'][:8]} kept, hints 0 after {delivered:.1f} s; {said}")


STEPS = [("plain: create", create_cluster), ("plain: an unchanged client", unchanged_client),
         ("plain: a deleted pod", deleted_pod_comes_back)]


def setup(kube: Kubernetes) -> None:
    App(kube, "plain").start()


def teardown(kube: Kubernetes) -> None:
    """All of it goes with the namespace."""

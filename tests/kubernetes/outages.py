"""An operated cluster under load while what operates it is away: the operator, the API server, a pod."""

from __future__ import annotations

import time

import clusters
import plain
from app import App
from kubernetes import HERE, Failed, Kubernetes, run, wait_for

PODS = ["demo-a-0", "demo-b-0", "demo-c-0"]
AWAY_SECONDS = 60


def unchanged_client(kube: Kubernetes) -> str:
    return App(kube, "demo").unchanged_client()


def deleted_pod_comes_back(kube: Kubernetes) -> str:
    said = plain.deleted_pod_comes_back(kube, "demo", PODS)
    clusters.wait_until_ready(kube, "demo", 60)
    return said


def catch_up(kube: Kubernetes, when_scaled: str) -> float:
    """Seconds until a change of the resource is seen and the cluster Ready at it."""
    kube.kubectl("patch", "dyn", "demo", "--type=merge",
                 f'--patch={{"spec": {{"storage": {{"retention": {{"whenScaled": "{when_scaled}"}}}}}}}}')
    return clusters.wait_until_ready(kube, "demo", 120)


def operator_away(kube: Kubernetes) -> str:
    app = App(kube, "demo")
    app.begin_load("operator-away")
    kube.kubectl("scale", "deployment/dynamo-operator", "--replicas=0")
    time.sleep(AWAY_SECONDS)
    said = app.end_load()
    kube.kubectl("scale", "deployment/dynamo-operator", "--replicas=1")
    return f"away for {AWAY_SECONDS} s, caught up after {catch_up(kube, 'Retain'):.1f} s; {said}"


def api_server_away(kube: Kubernetes) -> str:
    app = App(kube, "demo")
    app.begin_load("api-server-away")
    run(HERE / "cluster", "stop", "kube-apiserver")
    try:
        kube.kubectl("get", "nodes", "--request-timeout=2s")
        raise Failed("the API server still answers")
    except Failed as away:
        if "still answers" in str(away):
            raise
    time.sleep(AWAY_SECONDS)
    run(HERE / "cluster", "up", seconds=200)
    caught_up = catch_up(kube, "Delete")
    said = app.end_load()
    for pod in PODS:
        wait_for(f"{pod} to run on", 10, lambda pod=pod: kube.get("pod", pod)["status"]["phase"] == "Running")
    return f"away for {AWAY_SECONDS} s, caught up {caught_up:.1f} s after its return; {said}"


STEPS = [("outages: an unchanged client", unchanged_client), ("outages: a deleted pod", deleted_pod_comes_back),
         ("outages: no operator", operator_away), ("outages: no API server", api_server_away)]


def setup(kube: Kubernetes) -> None:
    clusters.install(kube)
    clusters.create(kube)
    App(kube, "demo").start()


def teardown(kube: Kubernetes) -> None:
    clusters.teardown(kube)

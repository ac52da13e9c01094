"""Nodes and clients encrypt what they say: from the first pod on, and while another authority comes under load."""

from __future__ import annotations

import base64

import clusters
import rollout
import scaling
from app import App
from kubernetes import Failed, Kubernetes, wait_for

TLS = {"peers": "OperatorManaged", "clients": "Required"}


def authorities(kube: Kubernetes) -> str:
    """That apps are to trust: PEM."""
    return base64.b64decode(kube.get("secret", "demo-client-tls")["data"]["ca.crt"]).decode()


def figure(kube: Kubernetes, pod: str, name: str) -> float:
    """The sum over a figure's labels."""
    text = kube.kubectl("get", "--raw", f"/api/v1/namespaces/{kube.namespace}/pods/{pod}:8091/proxy/metrics")
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


def from_the_first_pod(kube: Kubernetes) -> str:
    app = App(kube, "demo")
    plaintext = app.shell("curl -sS -m 5 http://demo:8098/ping || true")
    stranger = app.shell("curl -sS -m 5 https://demo:8098/ping 2>&1 || true")
    trusted = app.shell("curl -sS -m 5 --cacert /certificates/ca.crt https://demo:8098/ping")
    if "https only" not in plaintext or "certificate" not in stranger or trusted != "OK":
        raise Failed(f"plaintext: {plaintext}\nnot trusted: {stranger}\ntrusted: {trusted}")
    pods = sorted(scaling.nodes(kube))
    handshakes = [figure(kube, pod, 'dynamo_tls_handshakes_total{use="peer"}') for pod in pods]
    if not all(handshakes):
        raise Failed(f"handshakes between nodes: {dict(zip(pods, handshakes))}")
    return f"'{plaintext.strip()}'; peers' handshakes {[int(count) for count in handshakes]}"


def another_authority(kube: Kubernetes) -> str:
    """No operation fails, and no pod is restarted."""
    before, uids, app = authorities(kube), rollout.pod_uids(kube), App(kube, "https://demo")
    app.begin_load("rotation")
    rollout.patch(kube, tls={**TLS, "rotateToken": "now"})

    def rotated() -> bool:
        trusted = authorities(kube)
        return (trusted.count("BEGIN CERTIFICATE") == 1 and trusted != before
                and clusters.condition(kube, "demo", "CertificatesReady")["status"] == "True")

    took = wait_for("the other authority alone to be trusted", 400, rotated)
    said = app.end_load()
    if rollout.pod_uids(kube) != uids:
        raise Failed(f"restarted {rollout.restarted_since(kube, uids)}")
    return f"after {took:.1f} s, 0 pods restarted; {said}"


STEPS = [("certificates: from the first pod", from_the_first_pod), ("certificates: another authority", another_authority)]


def setup(kube: Kubernetes) -> None:
    clusters.install(kube)
    kube.apply(clusters.cluster("demo", tls=TLS))
    clusters.wait_until_ready(kube, "demo", 180)
    App(kube, "demo").start()


def teardown(kube: Kubernetes) -> None:
    clusters.teardown(kube)

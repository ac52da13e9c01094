"""The operator on the real thing: installed by Helm, a cluster in three zones, apps, faults."""

from __future__ import annotations

import json
import pathlib
import shutil
import tempfile
import time

import monitoring
from kubernetes import HERE, Failed, Kubernetes, run, wait_for

ROOT = HERE.parent.parent
CHART = ROOT / "charts" / "dynamo-operator"
RACKS = [{"name": "a", "zone": "z1"}, {"name": "b", "zone": "z2"}, {"name": "c", "zone": "z3"}]
SPEC = {"version": "test", "replicas": 3, "racks": RACKS, "ring": {"partitions": 64}, "storage": {"size": "1Gi"},
        "pod": {"resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}}}


def cluster(name: str, **over: object) -> str:
    return json.dumps({"apiVersion": "dynamo.internal/v1alpha1", "kind": "DynamoCluster", "metadata": {"name": name},
                       "spec": {**SPEC, **over}})


def condition(kube: Kubernetes, name: str, kind: str) -> dict:
    return {entry["type"]: entry for entry in kube.get("dyn", name)["status"]["conditions"]}[kind]


def wait_until_ready(kube: Kubernetes, name: str, seconds: float) -> float:
    def ready() -> bool:
        generation = kube.get("dyn", name)["metadata"]["generation"]
        found = condition(kube, name, "Ready")
        return found["status"] == "True" and found["observedGeneration"] == generation

    return wait_for(f"{name} to be Ready", seconds, ready)


def wait_for_reason(kube: Kubernetes, name: str, reason: str, words: str, seconds: float = 60) -> str:
    def seen() -> bool:
        found = condition(kube, name, "Degraded")
        return found["reason"] == reason and words in found["message"]

    wait_for(f"{name} to say {reason} and '{words}'", seconds, seen)
    return condition(kube, name, "Degraded")["message"]


def load_image(binaries: pathlib.Path) -> int:
    """Gives all machines the image of the programs under test; its MiB."""
    with tempfile.TemporaryDirectory() as folder:
        archive = pathlib.Path(folder) / "dynamo.tar"
        run(HERE / "pack", binaries, archive)
        run(HERE / "cluster", "load-image", archive)
        return archive.stat().st_size >> 20


def install(kube: Kubernetes) -> str:
    started = time.monotonic()
    kube.shell("helm", "install", "dynamo-operator", str(CHART), "--namespace", kube.namespace, "--wait", "--timeout", "2m",
               "--set", "image.repository=localhost/dynamo,image.tag=test", seconds=150)
    installed = time.monotonic() - started
    kube.shell("helm", "test", "dynamo-operator", "--namespace", kube.namespace, "--timeout", "1m", seconds=90)
    return f"installed in {installed:.1f} s, helm test passed"


def create(kube: Kubernetes) -> str:
    started = time.monotonic()
    kube.apply(cluster("demo"))
    wait_until_ready(kube, "demo", 180)
    took = time.monotonic() - started
    status = kube.get("dyn", "demo")["status"]
    zones = sorted(node["zone"] for node in status["nodes"])
    if zones != ["z1", "z2", "z3"] or status["readyReplicas"] != 3 or status.get("operation"):
        raise Failed(f"status: {status}")
    return f"Ready with 3 pods in 3 zones after {took:.1f} s, epoch {status['ring']['epoch']}"


def cart(kube: Kubernetes) -> str:
    folder = ROOT / "examples" / "cart"
    kube.apply(kube.kubectl("create", "configmap", "cart", "--dry-run=client", "--output", "yaml", f"--from-file={folder / 'cart.py'}"))
    kube.apply((folder / "job.yaml").read_text().replace("python:3-slim", "localhost/app:1"))
    kube.kubectl("wait", "--for=condition=Complete", "job/cart", "--timeout=110s")
    said = kube.kubectl("logs", "job/cart").strip()
    if not said.endswith(" 0 missing"):
        raise Failed(said)
    return said


def a_pod_comes_back(kube: Kubernetes) -> str:
    before = {node["name"]: node for node in kube.get("dyn", "demo")["status"]["nodes"]}["demo-b-0"]
    started = time.monotonic()
    kube.kubectl("delete", "pod", "demo-b-0")

    def back() -> bool:
        now = {node["name"]: node for node in kube.get("dyn", "demo")["status"]["nodes"]}["demo-b-0"]
        return now["podUID"] != before["podUID"] and now["ready"] and now["nodeID"] == before["nodeID"]

    wait_for("demo-b-0 to be back with its node id", 90, back)
    wait_until_ready(kube, "demo", 60)
    return f"same node id, Ready after {time.monotonic() - started:.1f} s"


def what_cannot_be_met_is_said(kube: Kubernetes) -> str:
    one = {"replicas": 1, "racks": [{"name": "a"}], "replication": {"factor": 1, "readQuorum": 1, "writeQuorum": 1}}
    kube.apply(cluster("noimage", **{**one, "image": "localhost/none:1"}))
    kube.apply(cluster("noclass", **{**one, "storage": {"size": "1Gi", "storageClassName": "none"}}))
    kube.apply(cluster("notls", **{**one, "tls": {"peers": "SecretRef", "clients": "Disabled"}}))
    said = [wait_for_reason(kube, "noimage", "PodsBlocked", "localhost/none:1"),
            wait_for_reason(kube, "noclass", "PodsBlocked", "Unschedulable"),
            wait_for_reason(kube, "notls", "SpecInvalid", "spec.tls.peersSecret")]
    restarts = kube.get("pods", "--selector", "app.kubernetes.io/name=dynamo-operator")["items"][0]["status"]["containerStatuses"][0]["restartCount"]
    for name in ("noimage", "noclass", "notls"):
        kube.kubectl("delete", "dyn", name)
    if restarts:
        raise Failed(f"the operator was restarted {restarts} times")
    return "; ".join(text[:60] for text in said)


def the_operator_may_go(kube: Kubernetes) -> str:
    uids = pod_uids(kube)
    kube.shell("helm", "uninstall", "dynamo-operator", "--namespace", kube.namespace, "--wait", "--timeout", "1m", seconds=90)
    kube.kubectl("delete", "job", "cart")
    cart(kube)
    if pod_uids(kube) != uids or not kube.get("dyn", "demo")["status"]["clusterID"]:
        raise Failed(f"{uids} became {pod_uids(kube)}")
    install(kube)
    wait_until_ready(kube, "demo", 90)
    return "uninstalled: cluster, pods and definition stay and serve; installed again: Ready, no pod restarted"


def pod_uids(kube: Kubernetes) -> dict[str, str]:
    """Of the cluster demo: another one's may still be on their way out."""
    pods = kube.get("pods", "--selector", "app.kubernetes.io/name=dynamo,app.kubernetes.io/instance=demo")["items"]
    return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in pods}


def upgrade(kube: Kubernetes) -> str:
    """A chart whose definition has one more field and column: both are there, and no node was restarted."""
    uids = pod_uids(kube)
    with tempfile.TemporaryDirectory() as folder:
        chart = pathlib.Path(folder) / "dynamo-operator"
        shutil.copytree(CHART, chart)
        crd = chart / "templates" / "crd.yaml"
        text = crd.read_text()
        for before, more in (("                paused: {", "                note: {type: string, description: Of the next version.}\n"),
                             ("        - {name: Version, ", "        - {name: Note, type: string, jsonPath: .spec.note}\n")):
            if text.count(before) != 1:
                raise Failed(f"{text.count(before)} times '{before}' in {crd}")
            text = text.replace(before, more + before)
        crd.write_text(text)
        kube.shell("helm", "upgrade", "dynamo-operator", str(chart), "--namespace", kube.namespace, "--reuse-values",
                   "--set", "logLevel=debug", "--wait", "--timeout", "2m", seconds=150)
    wait_for("the new field", 30, lambda: "Of the next version" in kube.kubectl("explain", "dynamocluster.spec.note"))
    kube.kubectl("patch", "dyn", "demo", "--type=merge", '--patch={"spec": {"note": "seen"}}')
    took = wait_until_ready(kube, "demo", 90)
    if "seen" not in kube.kubectl("get", "dyn", "demo").split() or pod_uids(kube) != uids:
        raise Failed(f"{kube.kubectl('get', 'dyn', 'demo')}\n{uids} became {pod_uids(kube)}")
    return f"the definition has the new field and column; Ready {took:.1f} s after its use, no node restarted"


def delete(kube: Kubernetes) -> str:
    kube.kubectl("delete", "dyn", "demo")
    selector = "app.kubernetes.io/name=dynamo,app.kubernetes.io/instance=demo"
    wait_for("the pods to be gone", 150, lambda: not kube.get("pods,services,statefulsets", "--selector", selector)["items"])
    volumes = kube.get("pvc", "--selector", selector)["items"]
    if len(volumes) != 3:
        raise Failed(f"{len(volumes)} volumes are left")
    kube.apply(cluster("demo"))
    message = wait_for_reason(kube, "demo", "VolumesOfAnotherCluster", "adopt-cluster-id")
    old = volumes[0]["metadata"]["labels"]["dynamo.internal/cluster-id"]
    kube.kubectl("annotate", "dyn", "demo", f"dynamo.internal/adopt-cluster-id={old}")
    took = wait_until_ready(kube, "demo", 120)
    kube.kubectl("delete", "job", "cart")
    cart(kube)
    return f"3 volumes kept; {message[:40]}...; adopted and Ready after {took:.1f} s with what was in the cart"


def figures(kube: Kubernetes) -> str:
    """What alerts and dashboards ask for is exported: by a node, and by the operator."""
    (operator,) = kube.get("pods", "--selector", "app.kubernetes.io/name=dynamo-operator")["items"]
    pods = (("nodes", "demo-a-0", 8091), ("operator", operator["metadata"]["name"], 8080))
    counts = [monitoring.check_figures(part, kube.kubectl("get", "--raw", f"/api/v1/namespaces/{kube.namespace}/pods/{pod}:{port}/proxy/metrics"))
              for part, pod, port in pods]
    return f"{counts[0]} figures of nodes and {counts[1]} of the operator, all exported"


STEPS = [("operator: install", install), ("operator: create", create), ("operator: figures", figures), ("operator: cart", cart),
         ("operator: a pod comes back", a_pod_comes_back), ("operator: what cannot be met", what_cannot_be_met_is_said),
         ("operator: upgrade", upgrade), ("operator: it may go", the_operator_may_go), ("operator: delete and adopt", delete)]


def setup(kube: Kubernetes) -> None:
    kube.kubectl("label", "namespace", kube.namespace, "pod-security.kubernetes.io/enforce=restricted", "--overwrite")


def teardown(kube: Kubernetes) -> None:
    """The definition, which Helm leaves, belongs to this namespace's release: another could not bring its own."""
    kube.kubectl("delete", "dyn", "--all", "--timeout=60s")
    kube.shell("helm", "uninstall", "dynamo-operator", "--namespace", kube.namespace, "--wait", "--timeout", "1m", seconds=90)
    kube.shell("kubectl", "delete", "crd", "dynamoclusters.dynamo.internal", "--timeout=60s", seconds=90)

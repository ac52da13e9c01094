"""The resource's definition, the charts and the manifests against a real API server: no pod runs."""

from __future__ import annotations

import json

import monitoring
from kubernetes import HERE, Failed, Kubernetes, run, wait_for

ROOT = HERE.parent.parent
CRD = ROOT / "manifests" / "crd" / "dynamoclusters.yaml"
SPEC = {"replicas": 3, "racks": [{"name": "a"}, {"name": "b"}], "storage": {"size": "10Gi", "storageClassName": "fast"}}
CERT_MANAGER = {"peers": "CertManager", "clients": "Required", "issuerRef": {"name": "ca"}}

# What is refused, by the words of its refusal, and its like that is accepted. Each is merged over SPEC.
RULES = [
    ("replicas must be at least replication.factor", {"replicas": 2}, {"replicas": 4}),
    ("ring.partitions must be at least replicas", {"replicas": 9, "ring": {"partitions": 8}}, {"replicas": 8, "ring": {"partitions": 8}}),
    ("not be more racks than replicas", {"racks": [{"name": n} for n in "abcd"]}, {"racks": [{"name": n} for n in "abc"]}),
    ("readQuorum must not be above factor", {"replication": {"readQuorum": 4}}, {"replication": {"readQuorum": 3}}),
    ("writeQuorum must not be above factor", {"replication": {"writeQuorum": 4}}, {"replication": {"writeQuorum": 3}}),
    ("spec.ring.partitions", {"ring": {"partitions": 100}}, {"ring": {"partitions": 128}}),
    ("spec.racks[0].name", {"racks": [{"name": "A"}]}, {"racks": [{"name": "a-1"}]}),
    ("spec.storage.size", {"storage": {"size": "ten"}}, {"storage": {"size": "1500M"}}),
    ("spec.service.type", {"service": {"type": "ExternalName"}}, {"service": {"type": "LoadBalancer"}}),
    ("spec.transfer.bandwidth", {"transfer": {"bandwidth": "fast"}}, {"transfer": {"bandwidth": "64Mi"}}),
    ("spec.antiEntropy.interval", {"antiEntropy": {"interval": "1 day"}}, {"antiEntropy": {"interval": "1h30m"}}),
    ("issuerRef is needed", {"tls": {"peers": "CertManager"}}, {"tls": CERT_MANAGER}),
    ("issuerRef.kind must be", {"tls": {**CERT_MANAGER, "issuerRef": {"name": "ca", "kind": "Authority"}}},
     {"tls": {**CERT_MANAGER, "issuerRef": {"name": "ca", "kind": "ClusterIssuer"}}}),
    ("auth.enabled needs auth.usersSecret", {"tls": {"clients": "Optional"}, "auth": {"enabled": True}},
     {"tls": {"clients": "Optional"}, "auth": {"enabled": True, "usersSecret": "users"}}),
    ("auth.enabled needs tls.clients", {"auth": {"enabled": True, "usersSecret": "users"}},
     {"tls": {"clients": "Required"}, "auth": {"enabled": True, "usersSecret": "users"}}),
    ("spec.config", {"config": {"siblings-max": 50}}, {"config": {"siblings-max": "50"}}),
]
# The same of changes of a cluster that is there.
TRANSITIONS = [
    ("ring.partitions cannot be changed", {"ring": {"partitions": 512}}, {"ring": {"partitions": 256}}),
    ("factor cannot be changed", {"replication": {"factor": 2}}, {"replication": {"factor": 3}}),
    ("storage.size cannot shrink", {"storage": {"size": "9Gi"}}, {"storage": {"size": "11Gi"}}),
    ("storageClassName cannot be changed", {"storage": {"storageClassName": "slow"}}, {"storage": {"storageClassName": "fast"}}),
    ("storageClassName cannot be changed", {"storage": {"storageClassName": None}}, {"storage": {"storageClassName": "fast"}}),
    ("a rack cannot be removed or renamed", {"racks": [{"name": "a"}, {"name": "c"}]}, {"racks": [{"name": "b"}, {"name": "a"}, {"name": "c"}]}),
    ("replicas must be at least replication.factor", {"replicas": 1}, {"replicas": 5}),
]
NAMES = [("at most 36 characters", "a" * 37, "a" * 36), ("at most 36 characters", "1a", "a1")]


def merged(spec: dict, over: dict) -> dict:
    return {**spec, **{k: merged(spec.get(k, {}), v) if isinstance(v, dict) else v for k, v in over.items()}}


def cluster(name: str, spec: dict) -> str:
    return json.dumps({"apiVersion": "dynamo.internal/v1alpha1", "kind": "DynamoCluster",
                       "metadata": {"name": name}, "spec": spec})


def expect(kube: Kubernetes, refusal: str, *arguments: str, stdin: str | None = None) -> None:
    """The command is refused with these words; without words it is accepted."""
    try:
        kube.kubectl(*arguments, stdin=stdin)
    except Failed as failed:
        if refusal and refusal in str(failed):
            return
        raise
    if refusal:
        raise Failed(f"accepted: {' '.join(arguments)} {stdin or ''}")


def refuses_and_accepts(kube: Kubernetes) -> str:
    dry = ("create", "--dry-run=server", "--validate=strict", "--filename", "-")
    for words, refused, accepted in RULES:
        expect(kube, words, *dry, stdin=cluster("demo", merged(SPEC, refused)))
        expect(kube, "", *dry, stdin=cluster("demo", merged(SPEC, accepted)))
    for words, refused, accepted in NAMES:
        expect(kube, words, *dry, stdin=cluster(refused, SPEC))
        expect(kube, "", *dry, stdin=cluster(accepted, SPEC))
    expect(kube, "unknown field", *dry, stdin=cluster("demo", {**SPEC, "replica": 3}))

    expect(kube, "", "create", "--filename", "-", stdin=cluster("demo", SPEC))
    for words, refused, accepted in TRANSITIONS:
        patch = ("patch", "dyn", "demo", "--dry-run=server", "--type=merge", "--patch")
        expect(kube, words, *patch, json.dumps({"spec": refused}))
        expect(kube, "", *patch, json.dumps({"spec": accepted}))
    expect(kube, "replicas must be at least", "scale", "dyn/demo", "--replicas=2")
    expect(kube, "", "scale", "dyn/demo", "--replicas=4")
    return f"{len(RULES) + len(TRANSITIONS) + len(NAMES) + 2} refused, each with a like that is accepted"


def fills_in_and_explains(kube: Kubernetes) -> str:
    expect(kube, "", "create", "--filename", "-", stdin=cluster("least", {}))
    spec = kube.get("dyn", "least")["spec"]
    wanted = {"replicas": 3, "racks": [{"name": "default"}], "ring": {"partitions": 256}}
    if {key: spec.get(key) for key in wanted} != wanted or "requests" not in spec["pod"]["resources"]:
        raise Failed(f"defaults: {spec}")
    explained = kube.kubectl("explain", "dynamocluster.spec", "--recursive=false")
    if "<no description>" in explained or "EMPTY" in explained:
        raise Failed(explained)
    columns = kube.kubectl("get", "dyn").splitlines()[0].split()
    if columns != ["NAME", "READY", "AVAILABLE", "PROGRESSING", "DEGRADED", "OPERATION", "VERSION", "AGE"]:
        raise Failed(f"columns {columns}")
    return f"{len(spec)} fields by default; {explained.count('<')} of spec explained"


def charts(kube: Kubernetes) -> str:
    objects = 0
    kube.kubectl("apply", "--server-side", "--filename", "-", stdin=run(HERE / "prometheus-definitions"))
    for chart, values in (("dynamo-operator", []), ("dynamo-operator", ["--set", "clusterWide=true,replicas=2"]),
                          ("dynamo-operator", ["--set", "clusterWide=true", *monitoring.ON]),
                          ("dynamo-cluster", []), ("dynamo-cluster", ["--set", "spec.replicas=5,name=other"])):
        folder = str(ROOT / "charts" / chart)
        kube.shell("helm", "lint", "--strict", folder, *values)
        rendered = kube.shell("helm", "template", "trial", folder, "--kube-version", "1.34.0", "--namespace", kube.namespace, *values)
        kube.kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "--filename", "-", stdin=rendered)
        objects += rendered.count("\nkind: ")
    for chart, wrong in (("dynamo-operator", "replicas=0"), ("dynamo-operator", "image.tga=x"), ("dynamo-cluster", "name=UPPER")):
        try:
            kube.shell("helm", "template", "trial", str(ROOT / "charts" / chart), "--kube-version", "1.34.0", "--set", wrong)
        except Failed:
            continue
        raise Failed(f"{chart}: the values' schema accepts {wrong}")
    return f"{objects} objects accepted, 3 wrong values refused"


def without_criticals(objects: str) -> int:
    """How many checks of kube-score are kept; raises if one of its criticals is not. Two of its rules are not ours: a
    limit of processor time would make every request wait for its share (memory is limited), and tags are fixed, so
    nothing need be pulled each time."""
    # Outside the cluster's network, which has no way to the modules that it is made of the first time.
    said = run(HERE / "kube-score", "score", "--output-format", "ci", "--ignore-container-cpu-limit",
               "--ignore-test", "container-image-pull-policy", "-", stdin=objects, seconds=900)
    if "[CRITICAL]" in said or "[OK]" not in said:
        raise Failed(said)
    return said.count("[OK]")


def score(kube: Kubernetes) -> str:
    kube.kubectl("delete", "dyn", "--all")  # The samples have names of their own.
    checks = 0
    for chart in ("dynamo-operator", "dynamo-cluster"):
        folder = str(ROOT / "charts" / chart)
        rendered = kube.shell("helm", "template", "trial", folder, "--kube-version", "1.34.0", "--namespace", kube.namespace)
        if chart == "dynamo-operator":
            checks += without_criticals(rendered)
        else:
            checks += without_criticals(planned(kube, rendered))
    for sample in sorted((ROOT / "manifests" / "samples").glob("*.yaml")):
        checks += without_criticals(planned(kube, sample.read_text()))
    return f"{checks} checks of kube-score over charts and what the operator makes, 0 critical"


def planned(kube: Kubernetes, resource: str) -> str:
    """The objects that the operator makes of a resource, with its defaults as the API server fills them in."""
    found = kube.kubectl("create", "--dry-run=server", "--filename", "-", "--output", "json", stdin=resource)
    return run(kube.binaries / "dynamo-operator", "--render", stdin=found)


def manifests(kube: Kubernetes) -> str:
    samples = sorted((ROOT / "manifests" / "samples").glob("*.yaml"))
    for sample in samples:
        expect(kube, "", "apply", "--dry-run=server", "--validate=strict", "--filename", "-", stdin=sample.read_text())
    rendered = kube.shell("kubectl", "kustomize", str(ROOT / "manifests")).replace("dynamo-system", kube.namespace)
    kube.kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "--filename", "-", stdin=rendered)
    return f"{len(samples)} samples, {rendered.count('kind: ')} kinds of the base"


def certificates(kube: Kubernetes) -> str:
    """What the operator asks cert-manager for, against cert-manager's own definition."""
    kube.kubectl("apply", "--server-side", "--filename", "-", stdin=run(HERE / "cert-manager-definitions"))
    wait_for("cert-manager's definition", 30, lambda: kube.kubectl("get", "certificates.cert-manager.io") is not None)
    resource = json.loads(kube.kubectl("create", "--dry-run=server", "--filename", "-", "--output", "json",
                                       stdin=cluster("issued", merged(SPEC, {"tls": CERT_MANAGER}))))
    resource["status"] = {"clusterID": "11111111-2222-3333-4444-555555555555"}
    made = json.loads(run(kube.binaries / "dynamo-operator", "--render", stdin=json.dumps(resource)))["items"]
    asked = {"apiVersion": "v1", "kind": "List", "items": [each for each in made if each["kind"] == "Certificate"]}
    if sorted(each["metadata"]["name"] for each in asked["items"]) != ["issued-client-tls", "issued-peer-tls"]:
        raise Failed(f"made: {[each['kind'] for each in made]}")
    dry = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "--filename", "-")
    expect(kube, "", *dry, stdin=json.dumps(asked))
    asked["items"][0]["spec"]["usages"] = ["to open doors"]
    expect(kube, "Unsupported value", *dry, stdin=json.dumps(asked))
    return f"{len(asked['items'])} Certificates accepted; one is refused for a usage that there is not"


def removed(kube: Kubernetes) -> str:
    """The chart brings its own: Helm takes over nothing that it has not made."""
    kube.kubectl("delete", "--filename", str(CRD), "--timeout=60s")
    kube.shell("kubectl", "delete", "crd", "certificates.cert-manager.io", "--timeout=60s", seconds=90)
    return "with the clusters that were made by it"


def alerts(kube: Kubernetes) -> str:
    return monitoring.check_alerts()


STEPS = [("definition: rules", refuses_and_accepts), ("definition: defaults", fills_in_and_explains),
         ("definition: charts", charts), ("definition: alerts", alerts), ("definition: kube-score", score), ("definition: manifests", manifests),
         ("definition: certificates", certificates),
         ("definition: removed", removed)]


def setup(kube: Kubernetes) -> None:
    kube.kubectl("apply", "--server-side", "--filename", str(CRD))
    wait_for("the definition", 30, lambda: kube.kubectl("get", "dyn") is not None)


def teardown(kube: Kubernetes) -> None:
    """The last step has removed it."""

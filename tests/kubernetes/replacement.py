"""Volumes and machines are lost under load: another node takes the place, without a human where that is safe."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import clusters
import scaling
from app import App
from kubernetes import HERE, Failed, Kubernetes, run, wait_for

# Rack c runs anywhere, so that there is room for its pod when the third machine is gone. The delay is that of a test.
RACKS = [{"name": "a", "zone": "z1"}, {"name": "b", "zone": "z2"}, {"name": "c"}]
DELAY = "20s"


def node_id(kube: Kubernetes, pod: str) -> str:
    return scaling.nodes(kube)[pod]["nodeID"]


def last_message(kube: Kubernetes, reason: str) -> str:
    found = kube.get("events", "--field-selector", f"reason={reason},involvedObject.name=demo")["items"]
    return max(found, key=lambda event: event["lastTimestamp"] or event["metadata"]["creationTimestamp"])["message"]


def settled(kube: Kubernetes) -> None:
    clusters.wait_until_ready(kube, "demo", 240)
    wait_for("three members with their shares, and nothing of before", 60, lambda: is_settled(kube))


def is_settled(kube: Kubernetes) -> bool:
    """As many members as asked for serve, each with its share, and nothing of before is left."""
    found = kube.get("dyn", "demo")
    status = found["status"]
    well = [node for node in status["nodes"] if node["state"] == "Normal" and node["ready"] and node["vnodes"]]
    return (len(well) == len(status["nodes"]) == found["spec"]["replicas"] and not status.get("operation")
            and not status.get("suspicion") and status["ring"]["underReplicated"] == 0)


def under_load(kube: Kubernetes, name: str, change: Callable[[], str], may_fail: bool = False) -> str:
    app = App(kube, "demo")
    app.begin_load(name, forget=False)
    said = change()
    return f"{said}; {app.end_load(may_fail)}"


def replaced(kube: Kubernetes, pod: str, before: str, lose: Callable[[], None], *steps: str) -> str:
    """Loses what `pod` stood on, and waits until another node is rebuilt in its place."""
    times, started = scaling.events(kube, "ReplacementCompleted"), time.monotonic()
    watch = kube.watch("get", "dyn", "demo", "--output", "wide")
    lose()
    wait_for("the replacement to be complete", 400, lambda: scaling.events(kube, "ReplacementCompleted") > times)
    settled(kube)
    took = time.monotonic() - started
    scaling.expect_seen(watch, *(("Replace", step) for step in steps))
    for reason in ("VolumeLost", "ReplacementStarted", "AntiEntropyStarted", "AntiEntropyCompleted"):
        if scaling.events(kube, reason) != times + 1:
            raise Failed(f"{scaling.events(kube, reason)} times {reason}")
    if node_id(kube, pod) == before:
        raise Failed(f"{pod} is {before} still")
    return f"Ready after {took:.1f} s; {last_message(kube, 'ReplacementCompleted')}"


def a_volume(kube: Kubernetes) -> str:
    before = node_id(kube, "demo-b-0")

    def lose() -> None:
        kube.kubectl("delete", "pvc", "data-demo-b-0", "--wait=false")
        kube.kubectl("delete", "pod", "demo-b-0")

    return under_load(kube, "volume", lambda: replaced(kube, "demo-b-0", before, lose, "AwaitPod", "Rebuild", "Forget"))


def machine_of(kube: Kubernetes, pod: str) -> str:
    return kube.get("pod", pod)["spec"]["nodeName"]


def away_and_back(kube: Kubernetes, name: str, go: Callable[[str], None], come_back: Callable[[str], None]) -> str:
    """A machine that is away, longer than the delay even, has lost nothing."""
    before, times = node_id(kube, "demo-b-0"), scaling.events(kube, "VolumeLost")
    machine, started = machine_of(kube, "demo-b-0"), time.monotonic()

    def change() -> str:
        go(machine)
        clusters.wait_for_reason(kube, "demo", "MachineAway", f"kubectl delete node {machine}", 150)
        away = time.monotonic() - started
        come_back(machine)
        kube.wait_until_machine_is_ready(machine)
        wait_for("demo-b-0 to serve again", 120, lambda: scaling.nodes(kube)["demo-b-0"]["ready"])
        settled(kube)
        return f"{machine} {name}, MachineAway after {away:.1f} s, back and Ready after {time.monotonic() - started:.1f} s"

    said = under_load(kube, name, change, may_fail=True)
    nothing_was_lost(kube, {"demo-b-0": before}, times)
    return said


def nothing_was_lost(kube: Kubernetes, before: dict[str, str], times: int) -> None:
    after = {pod: node_id(kube, pod) for pod in before}
    if after != before or scaling.events(kube, "VolumeLost") != times:
        raise Failed(f"{before} became {after}, {scaling.events(kube, 'VolumeLost') - times} times VolumeLost")


def off_and_back(kube: Kubernetes) -> str:
    return away_and_back(kube, "off", lambda machine: run(HERE / "node", "kill", machine),
                         lambda machine: run(HERE / "node", "start", machine))


def cut(machine: str) -> None:
    run(HERE / "node", "cut", machine)


def join(machine: str) -> None:
    run(HERE / "node", "join", machine)


def cut_off_and_back(kube: Kubernetes) -> str:
    return away_and_back(kube, "cut", cut, join)


def two_flap(kube: Kubernetes) -> str:
    """The cables of two of three zones come and go, at times both at once, for as long as it takes to call one dead."""
    pods = ("demo-b-0", "demo-c-0")
    before, times = {pod: node_id(kube, pod) for pod in pods}, scaling.events(kube, "VolumeLost")
    first, second = (machine_of(kube, pod) for pod in pods)

    def change() -> str:
        for _ in range(4):
            for change_of_cables in ((cut, first), (cut, second), (join, first), (join, second)):
                change_of_cables[0](change_of_cables[1])
                time.sleep(3)
        ended = time.monotonic()
        for machine in (first, second):
            kube.wait_until_machine_is_ready(machine)
        for pod in pods:
            wait_for(f"{pod} to serve again", 120, lambda pod=pod: scaling.nodes(kube)[pod]["ready"])
        settled(kube)
        return f"{first} and {second} cut off 4 times each, Ready {time.monotonic() - ended:.1f} s after the last"

    said = under_load(kube, "flap", change, may_fail=True)
    nothing_was_lost(kube, before, times)
    return said


def a_machine(kube: Kubernetes) -> str:
    """Its power is gone for good, and its disk; a cloud then removes the Node."""
    before, machine = node_id(kube, "demo-c-0"), machine_of(kube, "demo-c-0")
    if machine == "n1":
        raise Failed("demo-c-0 runs on n1, where the app runs")

    def lose() -> None:
        run(HERE / "node", "delete", machine)
        clusters.wait_for_reason(kube, "demo", "MachineAway", f"kubectl delete node {machine}", 150)
        kube.shell("kubectl", "delete", "node", machine)

    def change() -> str:
        return replaced(kube, "demo-c-0", before, lose, "DropVolume", "AwaitPod", "Rebuild", "Forget")

    said = under_load(kube, "machine", change, may_fail=True)
    return f"{machine} gone, now on {machine_of(kube, 'demo-c-0')}: {said}"


def two_volumes(kube: Kubernetes) -> str:
    """More than may be lost: nothing is done but to say so; a human's documented steps work, and the operator goes on."""
    lost = {pod: node_id(kube, pod) for pod in ("demo-b-0", "demo-c-0")}
    times = scaling.events(kube, "VolumeLost")
    for pod in lost:
        kube.kubectl("delete", "pvc", f"data-{pod}", "--wait=false")
    kube.kubectl("delete", "pod", *lost)
    message = clusters.wait_for_reason(kube, "demo", "DataAtRisk", "force-topology", 150)
    if scaling.events(kube, "VolumeLost") != times or kube.get("dyn", "demo")["status"].get("operation"):
        raise Failed(f"begun all the same: {kube.get('dyn', 'demo')['status']}")
    app, cluster_id = App(kube, "demo"), kube.get("dyn", "demo")["status"]["clusterID"]
    first, second = lost
    # Refused until the lost ones count as dead.
    wait_for("the topology to be forced", 60, lambda: kube.ctl(
        "demo-a-0", "cluster", "force-topology", "--cluster", cluster_id, "--lost", ",".join(lost.values()), "--by", "test"))
    newcomer = app.ask_node(first, "/identity")["nodeID"]
    wait_for("the survivor to have heard of the new node", 60, lambda: any(
        member["id"] == newcomer for member in app.ask_node("demo-a-0", "/members")["members"]))
    kube.ctl("demo-a-0", "cluster", "replace", lost[first], newcomer, "--operation-id", "replace-a")
    wait_for("the copies that wait for the second", 60, lambda: app.ask_node("demo-a-0", "/operations/replace-a")["waits"])
    partitions = sorted({p for wait in app.ask_node("demo-a-0", "/operations/replace-a")["waits"] for p in wait["partitions"]})
    kube.ctl("demo-a-0", "cluster", "accept-loss", "--cluster", cluster_id, "--lost", lost[second], "--partitions",
             ",".join(map(str, partitions)), "--by", "test")
    # The second one is the operator's again: enough is left for it.
    wait_for("the operator to replace the second", 240, lambda: scaling.events(kube, "ReplacementCompleted") > times)
    settled(kube)
    return f"'{message[:60]}...', nothing begun; after force-topology, replace and accept-loss the operator did the second"


STEPS = [("replacement: a volume", a_volume), ("replacement: off and back", off_and_back),
         ("replacement: cut off and back", cut_off_and_back), ("replacement: two flap", two_flap),
         ("replacement: a machine", a_machine), ("replacement: two volumes", two_volumes)]


def setup(kube: Kubernetes) -> None:
    clusters.install(kube)
    # Not on a machine that is to be lost: how soon Kubernetes moves it is not what is tested here.
    kube.kubectl("patch", "deployment", "dynamo-operator", "--type=merge", "--patch",
                 json.dumps({"spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/hostname": "n1"}}}}}))
    kube.kubectl("rollout", "status", "deployment/dynamo-operator", "--timeout=60s")
    kube.apply(clusters.cluster("demo", racks=RACKS, replacement={"failureDetectionDelay": DELAY}))
    clusters.wait_until_ready(kube, "demo", 180)
    App(kube, "demo").start()


def teardown(kube: Kubernetes) -> None:
    """The machine that was lost is bought anew."""
    clusters.teardown(kube)
    run(HERE / "cluster", "up", seconds=300)
    clusters.load_image(kube.binaries)

"""Whatever happens to pods, volumes, machines and what operates them, at random by seed, under the oracle's load.

DYNAMO_TEST_FORM says how long, DYNAMO_TEST_SEED which; DYNAMO_TEST_SUMMARY names a file for the summary, as JSON.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import pathlib
import random
import subprocess
import time
from collections.abc import Callable, Iterator

import clusters
import replacement
import scaling
from kubernetes import HERE, Failed, Kubernetes, run, wait_for

FORM = os.environ.get("DYNAMO_TEST_FORM", "normal")
SECONDS = {"smoke": 120, "normal": 480, "long": 3600}[FORM]
SEED = int(os.environ.get("DYNAMO_TEST_SEED", 20071014))
MACHINES = ("n1", "n2", "n3")
HEAL_SECONDS = 600


class OracleLoad:
    """dynamo-load through the client Service, from outside of all machines: none of their faults ends it."""

    def __init__(self, kube: Kubernetes) -> None:
        address = kube.get("service", "demo")["spec"]["clusterIP"] + ":8098"
        # Twice: what one connection leads to may be away.
        self._process = subprocess.Popen([HERE / "cluster", "shell", kube.binaries / "dynamo-load", str(SEED), address, address],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        wait_for("the load's first writes", 30, lambda: self.counts()["writes_ok"] > 0)

    def _ask(self, line: str) -> dict:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        # The program also prints what a write that failed was told.
        while not (answer := self._process.stdout.readline()).startswith("{"):
            if not answer:
                raise Failed(f"dynamo-load has ended: {self._process.wait()}")
        return json.loads(answer)

    def counts(self) -> dict:
        return self._ask("counts")

    def judge(self, kube: Kubernetes) -> dict:
        pods = kube.get("pods", "--selector", scaling.SELECTOR)["items"]
        said = self._ask("end " + " ".join(pod["status"]["podIP"] + ":8098" for pod in pods))
        self._process.wait(timeout=60)
        return said

    def drop(self) -> None:
        self._process.kill()
        self._process.wait()


class Chaos:
    """A fault is a context: it begins, whatever else happens, it ends."""

    def __init__(self, kube: Kubernetes) -> None:
        self._kube, self._random = kube, random.Random(SEED)
        self._started = time.monotonic()
        self.done: collections.Counter[str] = collections.Counter()
        self.volumes_lost = 0
        self._ids = self._node_ids()
        self._alone = (self.volume, self.machine_lost)
        # These ask nothing of the API server, so that they may begin while it is away.
        self._of_machines = (self.machine_off, self.machine_cut, self.kubelet_away)
        self._others = (self.pod, self.operator_killed, self.operator_away, self.api_server_away, self.scale, self.change_of_mind,
                        self.rollout)

    def spent(self) -> float:
        return time.monotonic() - self._started

    def run(self) -> None:
        while self.spent() < SECONDS:
            kind = self._random.choice(self._random.choice((self._alone, self._of_machines, self._others, self._others)))
            if kind in self._alone:
                self.settled()
            second = None
            if self._random.random() < 0.5:
                second = self._random.choice((self.operator_killed,) if kind in self._alone else self._of_machines)
            with self._fault(kind):
                if second is not None:
                    with self._fault(second):
                        self._pause(2, 8)
                self._pause(2, 8)
            if kind in self._alone or self._random.random() < 0.3:
                self.settled()
        self.settled()

    def _node_ids(self) -> dict[str, str]:
        """Of the pods that no scaling ever takes."""
        return {name: node["nodeID"] for name, node in scaling.nodes(self._kube).items() if name.endswith("-0")}

    def settled(self, *lost: str) -> None:
        """Ready, and other nodes are in the places of those whose volumes were lost, and of no others."""
        def is_settled() -> bool:
            now = self._node_ids()
            return replacement.is_settled(self._kube) and all(now.get(pod) != self._ids.get(pod) for pod in lost if pod in self._ids)

        clusters.wait_until_ready(self._kube, "demo", HEAL_SECONDS)
        wait_for("all members with their shares, and nothing of before", HEAL_SECONDS, is_settled)
        before, self._ids = self._ids, self._node_ids()
        if wrong := [pod for pod, node in before.items() if pod not in lost and self._ids.get(pod) != node]:
            raise Failed(f"{wrong} were replaced, and had lost nothing: {before} became {self._ids}")

    @contextlib.contextmanager
    def _fault(self, kind: Callable[[], contextlib.AbstractContextManager[str]]) -> Iterator[None]:
        with kind() as what:
            name = kind.__name__.replace("_", " ")
            self.done[name] += 1
            print(f"[{self.spent():7.1f} s] {name} {what}", flush=True)
            yield
        print(f"[{self.spent():7.1f} s] end of {name} {what}", flush=True)

    def _pause(self, least: float, most: float) -> None:
        time.sleep(self._random.uniform(least, most))

    def _draw_pod(self) -> str:
        return self._random.choice(sorted(scaling.nodes(self._kube)))

    @contextlib.contextmanager
    def pod(self) -> Iterator[str]:
        pod = self._draw_pod()
        how = ["--force", "--grace-period=0"] if self._random.random() < 0.5 else []
        self._kube.kubectl("delete", "pod", pod, "--ignore-not-found", "--wait=false", *how)
        yield " ".join([pod, *how])

    @contextlib.contextmanager
    def volume(self) -> Iterator[str]:
        pod = self._draw_pod()
        self._kube.kubectl("delete", "pvc", f"data-{pod}", "--wait=false")
        self._kube.kubectl("delete", "pod", pod, "--wait=false")
        with self._a_loss(pod):
            yield pod

    @contextlib.contextmanager
    def machine_lost(self) -> Iterator[str]:
        """For good, with its disk; a cloud removes the Node; another of its name is bought."""
        # Of more pods a machine, more volumes than one would be lost: that is a human's to decide.
        scaling.scale(self._kube, len(MACHINES))
        self.settled()
        pods = collections.defaultdict(list)
        for pod in self._kube.get("pods", "--selector", scaling.SELECTOR)["items"]:
            pods[pod["spec"]["nodeName"]].append(pod["metadata"]["name"])
        machine = self._random.choice(sorted(name for name in pods if len(pods[name]) == 1))
        seen = scaling.events(self._kube, "VolumeLost")
        run(HERE / "node", "delete", machine)
        self._kube.shell("kubectl", "delete", "node", machine)
        with self._a_loss(*pods[machine]):
            yield f"{machine} with {pods[machine][0]}"
            # Before, one of the same name is taken for the same one.
            wait_for("the operator to see that a machine is gone", HEAL_SECONDS, lambda: scaling.events(self._kube, "VolumeLost") > seen)
            run(HERE / "node", "start", machine)
            self._kube.wait_until_machine_is_ready(machine)
            clusters.load_image(self._kube.binaries)

    @contextlib.contextmanager
    def _a_loss(self, *pods: str) -> Iterator[None]:
        self.volumes_lost += len(pods)
        yield
        self.settled(*pods)

    def machine_off(self) -> contextlib.AbstractContextManager[str]:
        return self._a_machine("kill", "start", longest=50)

    def machine_cut(self) -> contextlib.AbstractContextManager[str]:
        return self._a_machine("cut", "join", longest=50)

    def kubelet_away(self) -> contextlib.AbstractContextManager[str]:
        return self._a_machine("stop", "cont", "kubelet", longest=30)

    @contextlib.contextmanager
    def _a_machine(self, begin: str, end: str, *service: str, longest: float) -> Iterator[str]:
        machine = self._random.choice(MACHINES)
        run(HERE / "node", begin, machine, *service)
        yield machine
        self._pause(0, longest)
        run(HERE / "node", end, machine, *service)

    @contextlib.contextmanager
    def operator_killed(self) -> Iterator[str]:
        self._kube.kubectl("delete", "pod", "--selector", "app.kubernetes.io/name=dynamo-operator", "--force", "--grace-period=0")
        yield ""

    @contextlib.contextmanager
    def operator_away(self) -> Iterator[str]:
        self._kube.kubectl("scale", "deployment/dynamo-operator", "--replicas=0")
        yield ""
        self._pause(0, 30)
        self._kube.kubectl("scale", "deployment/dynamo-operator", "--replicas=1")

    @contextlib.contextmanager
    def api_server_away(self) -> Iterator[str]:
        run(HERE / "cluster", "stop", "kube-apiserver")
        yield ""
        self._pause(0, 30)
        # Not `up`: a machine that is off is to stay so.
        run(HERE / "cluster", "start", "kube-apiserver", seconds=120)

    @contextlib.contextmanager
    def scale(self) -> Iterator[str]:
        now = self._kube.get("dyn", "demo")["spec"]["replicas"]
        wanted = self._random.choice([size for size in (3, 4, 5) if size != now])
        scaling.scale(self._kube, wanted)
        yield f"{now} to {wanted}"

    @contextlib.contextmanager
    def change_of_mind(self) -> Iterator[str]:
        now = self._kube.get("dyn", "demo")["spec"]["replicas"]
        scaling.scale(self._kube, 4 if now != 4 else 3)
        yield f"of {now}"
        scaling.scale(self._kube, now)

    @contextlib.contextmanager
    def rollout(self) -> Iterator[str]:
        token = str(self.done["rollout"])
        self._kube.kubectl("patch", "dyn", "demo", "--type=merge", "--patch", json.dumps({"spec": {"restartToken": token}}))
        yield token


def chaos(kube: Kubernetes) -> str:
    load, faults = OracleLoad(kube), Chaos(kube)
    try:
        print(f"{SECONDS} s of chaos, seed {SEED}", flush=True)
        faults.run()
        took = faults.spent()
        judged = load.judge(kube)
    finally:
        load.drop()
    summary = {"command": f"DYNAMO_TEST_FORM={FORM} DYNAMO_TEST_SEED={SEED} tests/kubernetes/run BINARIES chaos",
               "seed": SEED, "seconds": round(took), "volumes_lost": faults.volumes_lost,
               "faults_total": sum(faults.done.values()), "faults": dict(sorted(faults.done.items())), **judged}
    if where := os.environ.get("DYNAMO_TEST_SUMMARY"):
        pathlib.Path(where).write_text(json.dumps(summary, indent=2) + "\n")
    if judged["violations"]:
        raise Failed(json.dumps(summary, indent=2))
    return json.dumps(summary)


STEPS = [("chaos", chaos)]


def setup(kube: Kubernetes) -> None:
    clusters.install(kube)
    kube.apply(clusters.cluster("demo", replacement={"failureDetectionDelay": replacement.DELAY}))
    clusters.wait_until_ready(kube, "demo", 180)


def teardown(kube: Kubernetes) -> None:
    run(HERE / "cluster", "up", seconds=300)
    clusters.teardown(kube)

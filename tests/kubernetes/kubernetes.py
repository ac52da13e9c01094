"""The test cluster from Python: commands with a deadline, waiting with one, and what to look at on failure."""

from __future__ import annotations

import json
import pathlib
import subprocess
import time
from collections.abc import Callable

HERE = pathlib.Path(__file__).resolve().parent


class Failed(Exception):
    """A step of a test; the message says what was expected and what was seen."""


def run(*command: str | pathlib.Path, stdin: str | None = None, seconds: float = 120) -> str:
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{' '.join(map(str, command))}: no end after {seconds} s") from late
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: {(done.stdout + done.stderr).strip()[-2000:]}")
    return done.stdout


class Kubernetes:
    """kubectl in one namespace. `binaries`: the folder of the programs under test."""

    def __init__(self, namespace: str, binaries: pathlib.Path) -> None:
        self.namespace = namespace
        self.binaries = binaries.resolve()

    def shell(self, *command: str, stdin: str | None = None, seconds: float = 120) -> str:
        """Any command in the cluster's network."""
        return run(HERE / "cluster", "shell", *command, stdin=stdin, seconds=seconds)

    def kubectl(self, *arguments: str, stdin: str | None = None, seconds: float = 120) -> str:
        return self.shell("kubectl", "--namespace", self.namespace, *arguments, stdin=stdin, seconds=seconds)

    def wait_until_machine_is_ready(self, machine: str) -> None:
        """Also of one whose Node was deleted: it makes itself another."""
        self.shell("kubectl", "wait", "--for=create", f"node/{machine}", "--timeout=60s")
        self.shell("kubectl", "wait", "--for=condition=Ready", f"node/{machine}", "--timeout=90s")

    def get(self, *arguments: str) -> dict:
        return json.loads(self.kubectl("get", *arguments, "--output", "json"))

    def apply(self, text: str) -> None:
        self.kubectl("apply", "--filename", "-", stdin=text)

    def exec(self, pod: str, *command: str, seconds: float = 120) -> str:
        return self.kubectl("exec", pod, "--", *command, seconds=seconds)

    def ctl(self, pod: str, *arguments: str) -> str:
        """dynamoctl in a node's pod, asking that node."""
        return self.exec(pod, "dynamoctl", *arguments)

    def start(self, *arguments: str) -> subprocess.Popen:
        """kubectl in the background."""
        return subprocess.Popen([HERE / "cluster", "shell", "kubectl", "--namespace", self.namespace, *arguments],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def watch(self, *arguments: str) -> Watch:
        """What kubectl prints while things change, until it is stopped."""
        return Watch(self.start(*arguments, "--watch"))

    def explain(self) -> None:
        """What a person would look at first."""
        for arguments in (["get", "all,pvc,dyn", "--output", "wide"], ["get", "events", "--sort-by", ".lastTimestamp"],
                          ["describe", "pods"], ["logs", "--selector", "app", "--tail", "30", "--prefix"]):
            try:
                print(f"--- kubectl {' '.join(arguments)}\n{self.kubectl(*arguments)[-6000:]}")
            except Failed as failed:
                print(failed)


class Watch:
    """A kubectl that prints what changes."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process

    def stop(self) -> str:
        """All that it has printed."""
        self._process.terminate()
        return self._process.communicate(timeout=10)[0]


def wait_for(what: str, seconds: float, condition: Callable[[], object]) -> float:
    """Seconds until `condition` was true; what it raises counts as not yet."""
    started, last = time.monotonic(), ""
    while time.monotonic() - started < seconds:
        try:
            if condition():
                return time.monotonic() - started
            last = ""
        except (Failed, KeyError, IndexError, ValueError) as error:
            last = f": {error}"
        time.sleep(0.3)
    raise Failed(f"gave up after {seconds:.0f} s waiting for {what}{last}")

"""Three real nodes on loopback, for as long as a with-block lasts."""

from __future__ import annotations

import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

HTTP_PORT, PB_PORT, PEER_PORT, ADMIN_PORT = 8098, 8087, 8099, 8091


class Node:
    def __init__(self, binaries: pathlib.Path, folder: pathlib.Path, address: str, seeds: list[str]) -> None:
        self.address = address
        self._log = open(folder / f"{address}.log", "ab")
        self._command = [
            binaries / "dynamo-node",
            *("--data-dir", folder / address),
            *("--name", f"node-{address}"),
            *("--listen-address", address),
            *("--seeds", ",".join(f"{seed}:{PEER_PORT}" for seed in seeds)),
        ]
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=self._log, stderr=self._log)

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def check_alive(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"the node at {self.address} ended with code {self._process.returncode}")


class Cluster:
    """`with Cluster(...) as cluster`: nodes that serve; ended and removed at the end."""

    def __init__(self, binaries: pathlib.Path, addresses: list[str]) -> None:
        self._binaries = binaries
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="dynamo-compat-"))
        self.nodes = [Node(binaries, self._folder, address, addresses) for address in addresses]

    def ctl(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([self._binaries / "dynamoctl", *arguments], capture_output=True, text=True)

    def __enter__(self) -> "Cluster":
        try:
            self._form()
        except BaseException as error:
            self.__exit__(type(error))
            raise
        return self

    def _form(self) -> None:
        for node in self.nodes:
            node.start()
        first = self.nodes[0]
        members = ",".join(f"{node.address}:{PEER_PORT}" for node in self.nodes)
        self._until(["cluster", "create", "--members", members, "--admin", f"{first.address}:{ADMIN_PORT}"])
        for node in self.nodes:
            self._until(["put", "siblings/compat/ready", "yes", "--http", f"{node.address}:{HTTP_PORT}", "--w", "all"])

    def __exit__(self, kind: type | None, *_: object) -> None:
        for node in self.nodes:
            node.kill()
        if kind is None:
            shutil.rmtree(self._folder)
        else:
            print(f"the nodes' data and logs are kept under {self._folder}")

    def _until(self, command: list[str], seconds: float = 30) -> None:
        """Repeats a command until it succeeds: the nodes are still starting."""
        deadline = time.monotonic() + seconds
        while True:
            done = self.ctl(*command)
            if done.returncode == 0:
                return
            for node in self.nodes:
                node.check_alive()
            if time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
            time.sleep(0.05)

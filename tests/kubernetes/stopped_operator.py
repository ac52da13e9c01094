"""The operator, stopped again and again between its writes: stopped_operator.py OPERATOR NAMESPACE EVERY OFFSET

Runs OPERATOR behind a proxy to the API server of $KUBECONFIG. Each EVERYth write that it attempts, from the
OFFSETth on, does not arrive: the operator is killed instead, and started anew. Until SIGTERM; then prints counts as
JSON, on one line. Events are no writes here: nothing depends on them.
"""

from __future__ import annotations

import base64
import http.client
import http.server
import json
import pathlib
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.parse

HOP = {"connection", "transfer-encoding", "content-length", "host", "keep-alive"}


class ApiServer:
    """That of the kubeconfig, with its client certificate."""

    def __init__(self, folder: pathlib.Path) -> None:
        config = json.loads(subprocess.run(["kubectl", "config", "view", "--raw", "--minify", "--output", "json"],
                                           check=True, capture_output=True, text=True).stdout)
        self._url = urllib.parse.urlsplit(config["clusters"][0]["cluster"]["server"])
        user = config["users"][0]["user"]
        self._context = ssl.create_default_context(cafile=self._file(folder, config["clusters"][0]["cluster"], "certificate-authority"))
        self._context.load_cert_chain(self._file(folder, user, "client-certificate"), self._file(folder, user, "client-key"))

    @staticmethod
    def _file(folder: pathlib.Path, fields: dict, name: str) -> str:
        if name in fields:
            return fields[name]
        path = folder / name
        path.write_bytes(base64.b64decode(fields[name + "-data"]))
        return str(path)

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> http.client.HTTPResponse:
        connection = http.client.HTTPSConnection(self._url.hostname, self._url.port, context=self._context, timeout=600)
        connection.request(method, path, body or None, headers)
        return connection.getresponse()


class Operator:
    """One process after the other."""

    def __init__(self, command: list[str], every: int, offset: int) -> None:
        self._command, self._every, self._offset = command, every, offset
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self.attempts = 0
        self.stops: list[str] = []

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stderr=sys.stderr, stdout=sys.stderr)

    def may_write(self, method: str, path: str) -> bool:
        """False: the operator was killed at this write."""
        with self._lock:
            self.attempts += 1
            if self.attempts < self._offset or (self.attempts - self._offset) % self._every != 0:
                return True
            self.stop()
            self.stops.append(f"{method} {path.split('?')[0].rsplit('/namespaces/', 1)[-1]}")
            self.start()
            return False

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def make_handler(server: ApiServer, operator: Operator) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            is_write = self.command != "GET" and "/events" not in self.path
            if is_write and not operator.may_write(self.command, self.path):
                self.close_connection = True
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
            try:
                self.pass_on(server.ask(self.command, self.path, body, headers))
            except OSError:  # The operator that asked has gone, or the API server.
                self.close_connection = True

        def pass_on(self, answer: http.client.HTTPResponse) -> None:
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while chunk := answer.read1(65536):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def main() -> None:
    binary, namespace, every, offset = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        kubeconfig = folder / "kubeconfig"
        operator = Operator([binary, "--kubeconfig", str(kubeconfig), "--namespace", namespace, "--leader-elect=false",
                             "--image=localhost/dynamo", "--listen-address=127.0.0.1", "--port=18080"], every, offset)
        proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), make_handler(ApiServer(folder), operator))
        proxy.daemon_threads = True
        kubeconfig.write_text(json.dumps({
            "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{proxy.server_port}"}}],
            "users": [{"name": "c", "user": {}}]}))
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        operator.start()
        ended.wait()
        operator.stop()
        print(json.dumps({"attempts": operator.attempts, "stops": operator.stops}), flush=True)


main()

"""Load through the service, in the app's pod: load.py HOST|https://HOST COMMAND...

    write SECONDS PREFIX   writes new keys and reads them, up to 400 operations a second, each retried
                           once; when stopped (or after SECONDS) prints its counts as JSON
    check                  reads every write that was ever acknowledged here; prints counts as JSON

Acknowledged writes are kept in /tmp/acknowledged, one a line.
"""

import http.client
import json
import pathlib
import ssl
import sys
import threading
import time

PORT, CLIENTS, TIMEOUT_S = 8098, 4, 10
PAIRS_A_SECOND = 50  # Of a client: a write and its read. All there is to read back at the end is made here.
ACKNOWLEDGED = pathlib.Path("/tmp/acknowledged")
AUTHORITIES = "/certificates/ca.crt"  # Read for each connection: they change.


class Client:
    """One keep-alive connection to whatever node the service leads to."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._connection: http.client.HTTPConnection | None = None

    def _connect(self) -> http.client.HTTPConnection:
        if self._host.startswith("https://"):
            trust = ssl.create_default_context(cafile=AUTHORITIES)
            return http.client.HTTPSConnection(self._host.removeprefix("https://"), PORT, timeout=TIMEOUT_S, context=trust)
        return http.client.HTTPConnection(self._host, PORT, timeout=TIMEOUT_S)

    def once(self, method: str, key: str, body: bytes | None = None) -> tuple[int, bytes]:
        try:
            if self._connection is None:
                self._connection = self._connect()
            headers = {"Content-Type": "text/plain"} if body is not None else {"Accept": "multipart/mixed"}
            self._connection.request(method, f"/types/siblings/buckets/load/keys/{key}", body, headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection = None
            return 0, repr(error).encode()


def is_fine(status: int) -> bool:
    return status in (200, 204, 300)


class Counts:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.total = self.retried = self.failed = 0
        self.slowest_ms = 0
        self.first_errors: list[str] = []

    def run(self, client: Client, method: str, key: str, body: bytes | None = None) -> bool:
        """One operation, retried once."""
        started = time.monotonic()
        status, text = client.once(method, key, body)
        retried = not is_fine(status)
        if retried:
            again, _ = client.once(method, key, body)
        with self.lock:
            self.total += 1
            self.slowest_ms = max(self.slowest_ms, int(1000 * (time.monotonic() - started)))
            if retried:
                self.retried += 1
                if len(self.first_errors) < 5:
                    self.first_errors.append(f"{method} {status} {text[:80].decode(errors='replace')}")
                if not is_fine(again):
                    self.failed += 1
                    return False
        return True


def write(host: str, seconds: float, prefix: str) -> None:
    counts, stop_at, acknowledged = Counts(), time.monotonic() + seconds, ACKNOWLEDGED.open("a")
    stop = pathlib.Path("/tmp/stop")
    stop.unlink(missing_ok=True)

    def work(index: int) -> None:
        client, number, due = Client(host), 0, time.monotonic()
        while time.monotonic() < stop_at and not stop.exists():
            key = f"{prefix}-{index}-{number}"
            number += 1
            time.sleep(max(0.0, due - time.monotonic()))
            due = max(due + 1 / PAIRS_A_SECOND, time.monotonic())
            if counts.run(client, "PUT", key, key.encode()):
                with counts.lock:
                    acknowledged.write(key + "\n")
            counts.run(client, "GET", key)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    acknowledged.close()
    print(json.dumps({"operations": counts.total, "retried": counts.retried, "failed": counts.failed,
                      "slowest_ms": counts.slowest_ms, "first_errors": counts.first_errors}))


def check(host: str) -> None:
    client, lost = Client(host), []
    keys = ACKNOWLEDGED.read_text().split()
    for key in keys:
        # A write that was retried may have been written twice: siblings of one value.
        answers = (client.once("GET", key) for _ in range(3))
        if not any(status in (200, 300) and key.encode() in body.splitlines() for status, body in answers):
            lost.append(key)
    print(json.dumps({"acknowledged": len(keys), "lost": len(lost), "first_lost": lost[:5]}))


if __name__ == "__main__":
    if sys.argv[2] == "write":
        write(sys.argv[1], float(sys.argv[3]), sys.argv[4])
    else:
        check(sys.argv[1])

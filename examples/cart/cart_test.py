"""The cart's merge, and its way through siblings, against a store that forks on every concurrent write."""

from __future__ import annotations

import http.server
import pathlib
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from cart import Cart, Store, change, party, siblings  # noqa: E402


class Forking(http.server.BaseHTTPRequestHandler):
    """Keeps what no later write has covered: siblings, and numbers as contexts."""

    protocol_version = "HTTP/1.1"
    values: dict[int, bytes] = {}
    written = 0
    failures = 0
    lock = threading.Lock()

    def log_message(self, *arguments: object) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        with Forking.lock:
            if Forking.failures > 0:
                Forking.failures -= 1
                return self.answer(503)
            values = dict(Forking.values)
        context = ",".join(map(str, values))
        if not values:
            return self.answer(404)
        if len(values) == 1:
            return self.answer(200, next(iter(values.values())), Content_Type="application/json", X_Riak_Vclock=context)
        parts = b"".join(b"\r\n--B\r\nContent-Type: application/json\r\n\r\n" + value for value in values.values())
        return self.answer(300, parts + b"\r\n--B--\r\n", Content_Type="multipart/mixed; boundary=B", X_Riak_Vclock=context)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        seen = [int(number) for number in self.headers.get("X-Riak-Vclock", "").split(",") if number]
        with Forking.lock:
            Forking.written += 1
            for number in seen:
                Forking.values.pop(number, None)
            Forking.values[Forking.written] = body
        self.answer(204)


class CartTest(unittest.TestCase):
    def setUp(self) -> None:
        Forking.values, Forking.written, Forking.failures = {}, 0, 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forking)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.store = Store(f"http://127.0.0.1:{self.server.server_port}")

    def tearDown(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def test_what_was_added_at_the_same_time_is_in_the_cart(self) -> None:
        self.assertEqual(party(self.store, "c", shoppers=8, items=10), 0)

    def test_an_addition_survives_a_concurrent_removal(self) -> None:
        change(self.store, "c", "add", ["book"])
        old, context = self.store.get("c")
        change(self.store, "c", "remove", ["book"])
        old.add("book")
        self.store.put("c", old, context)
        self.assertEqual(self.store.get("c")[0].items(), ["book"])

    def test_a_removal_of_all_that_was_seen_stands(self) -> None:
        change(self.store, "c", "add", ["book", "pen"])
        change(self.store, "c", "remove", ["book"])
        self.assertEqual(self.store.get("c")[0].items(), ["pen"])

    def test_merging_is_the_same_in_any_order(self) -> None:
        one, two = Cart(), Cart()
        one.add("a")
        two.add("b")
        two.remove("b")
        forward, backward = Cart(), Cart()
        for cart in (one, two, one):
            forward.merge(cart)
        for cart in (two, one):
            backward.merge(cart)
        self.assertEqual(forward.to_json(), backward.to_json())
        self.assertEqual(forward.items(), ["a"])

    def test_a_node_that_is_away_for_a_moment_costs_a_retry(self) -> None:
        change(self.store, "c", "add", ["book"])
        Forking.failures = 2
        self.assertEqual(self.store.get("c")[0].items(), ["book"])

    def test_parts_of_a_multipart_answer_are_told_apart(self) -> None:
        body = b"\r\n--X\r\nContent-Type: application/json\r\n\r\n1\r\n--X\r\nContent-Type: application/json\r\n\r\n2\r\n--X--\r\n"
        self.assertEqual(siblings("multipart/mixed; boundary=X", body), [b"1", b"2"])
        self.assertEqual(siblings("application/json", b"3"), [b"3"])


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""The shopping cart of the Dynamo paper (section 4.4), over HTTP, with the standard library alone.

usage: cart.py [--url URL] add CART ITEM...      puts items into a cart
       cart.py [--url URL] remove CART ITEM...   takes them out
       cart.py [--url URL] show CART             prints what is in it
       cart.py [--url URL] party CART SHOPPERS ITEMS
                                                 SHOPPERS threads add ITEMS items each at the same time, none
                                                 waiting for another; fails unless all are in the cart in the end

URL: $CART_URL, else that of the folder $SERVICE_BINDING_ROOT/*/uri (the binding Secret, mounted), else
http://127.0.0.1:8098.

An add is never refused: two that happen at the same time make siblings, and whoever reads them merges them.
Each item has a set of marks; an addition makes a mark of its own, and a removal buries the marks that it has
seen. So the merge is the union of marks and of graves, and an item that was added concurrently to its removal
stays, as section 4.4 wants: nothing added is ever lost.
"""

from __future__ import annotations

import argparse
import email.parser
import glob
import json
import os
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
import uuid

ATTEMPTS = 5  # Of a request that fails: a node that goes away answers no more, another one does.


class Cart:
    """Items with the marks of their additions, and the marks that were removed."""

    def __init__(self, marks: dict[str, set[str]] | None = None, graves: set[str] | None = None) -> None:
        self.marks = marks or {}
        self.graves = graves or set()

    def add(self, item: str) -> None:
        self.marks.setdefault(item, set()).add(uuid.uuid4().hex)

    def remove(self, item: str) -> None:
        self.graves |= self.marks.get(item, set())

    def items(self) -> list[str]:
        return sorted(item for item, marks in self.marks.items() if marks - self.graves)

    def merge(self, other: Cart) -> None:
        """The least cart that knows what both know: in any order, any number of times."""
        for item, marks in other.marks.items():
            self.marks.setdefault(item, set()).update(marks)
        self.graves |= other.graves

    def to_json(self) -> bytes:
        return json.dumps({"marks": {item: sorted(marks) for item, marks in sorted(self.marks.items())},
                           "graves": sorted(self.graves)}).encode()

    @staticmethod
    def from_json(text: bytes) -> Cart:
        found = json.loads(text)
        return Cart({item: set(marks) for item, marks in found["marks"].items()}, set(found["graves"]))


class Store:
    """Carts in the bucket "carts" of the type "siblings": the default one keeps the last write only."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def get(self, name: str) -> tuple[Cart, str]:
        """The cart, all its siblings merged, and the causal context that covers them."""
        status, headers, body = self._request("GET", name, headers={"Accept": "multipart/mixed, */*"})
        context = headers.get("X-Riak-Vclock", "")
        if status == 404:
            return Cart(), context
        merged = Cart()
        for sibling in siblings(headers.get("Content-Type", ""), body):
            merged.merge(Cart.from_json(sibling))
        return merged, context

    def put(self, name: str, cart: Cart, context: str) -> None:
        headers = {"Content-Type": "application/json"}
        if context:
            headers["X-Riak-Vclock"] = context
        self._request("PUT", name, cart.to_json(), headers)

    def _request(self, method: str, name: str, body: bytes | None = None, headers: dict[str, str] | None = None):
        request = urllib.request.Request(f"{self.url}/types/siblings/buckets/carts/keys/{urllib.parse.quote(name, safe='')}",
                                         data=body, headers=headers or {}, method=method)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return answer.status, answer.headers, answer.read()
            except urllib.error.HTTPError as error:
                answer = error.read()
                if error.code in (300, 404):
                    return error.code, error.headers, answer
                if error.code < 500 or attempt == ATTEMPTS:
                    raise SystemExit(f"{method} {name}: {error.code} {answer.decode(errors='replace').strip()}") from error
            except OSError as error:
                if attempt == ATTEMPTS:
                    raise SystemExit(f"{method} {name}: {error}") from error
        raise AssertionError("unreachable")


def siblings(content_type: str, body: bytes) -> list[bytes]:
    """The parts of a multipart answer, or the one value that it is."""
    if not content_type.startswith("multipart/"):
        return [body]
    message = email.parser.BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    return [part.get_payload(decode=True) for part in message.get_payload() if part.get_payload(decode=True)]


def change(store: Store, name: str, operation: str, items: list[str]) -> Cart:
    cart, context = store.get(name)
    for item in items:
        getattr(cart, operation)(item)
    store.put(name, cart, context)
    return cart


def party(store: Store, name: str, shoppers: int, items: int) -> int:
    def shop(shopper: int) -> None:
        for item in range(items):
            change(store, name, "add", [f"{shopper}-{item}"])

    threads = [threading.Thread(target=shop, args=(shopper,)) for shopper in range(shoppers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wanted = {f"{shopper}-{item}" for shopper in range(shoppers) for item in range(items)}
    missing = wanted - set(store.get(name)[0].items())
    print(f"{len(wanted)} additions by {shoppers} shoppers at the same time, {len(missing)} missing")
    return 1 if missing else 0


def bound_url() -> str:
    for path in glob.glob(os.path.join(os.environ.get("SERVICE_BINDING_ROOT", "/bindings"), "*", "uri")):
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    return "http://127.0.0.1:8098"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="The shopping cart of the Dynamo paper.")
    parser.add_argument("--url", default=os.environ.get("CART_URL") or bound_url())
    commands = parser.add_subparsers(dest="command", required=True)
    for command in ("add", "remove", "show", "party"):
        commands.add_parser(command).add_argument("cart")
    for command in ("add", "remove"):
        commands.choices[command].add_argument("items", nargs="+")
    for count in ("shoppers", "items"):
        commands.choices["party"].add_argument(count, type=int)
    given = parser.parse_args(arguments)
    store = Store(given.url)
    if given.command == "party":
        return party(store, given.cart, given.shoppers, given.items)
    cart = store.get(given.cart)[0] if given.command == "show" else change(store, given.cart, given.command, given.items)
    print("\n".join(cart.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

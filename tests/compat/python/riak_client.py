"""PyPI riak 2.7.0, over HTTP (`http`) or Protocol Buffers (`pbc`).

The library is unchanged; today's Python lacks names it was written against, and
gets them back here.
"""

import collections
import collections.abc
import sys

from steps import expect, run

for name in dir(collections.abc):
    if name[0].isupper() and not hasattr(collections, name):
        setattr(collections, name, getattr(collections.abc, name))
_namedtuple = collections.namedtuple
collections.namedtuple = lambda *args, verbose=False, **more: _namedtuple(*args, **more)

import riak  # noqa: E402  (after the names it needs)


def main() -> None:
    protocol, host, http_port, pb_port, prefix = sys.argv[1:]
    client = riak.RiakClient(protocol=protocol, host=host, http_port=int(http_port), pb_port=int(pb_port))
    bucket = client.bucket_type("siblings").bucket("compat")
    plain, conflict = f"{prefix}-plain", f"{prefix}-conflict"

    def put() -> None:
        expect(client.ping(), "ping")
        item = bucket.new(plain, encoded_data=b"hello", content_type="text/plain")
        item.usermeta = {"colour": "red"}
        item.store()

    def get() -> None:
        item = bucket.get(plain)
        expect(item.encoded_data in (b"hello", "hello"), item.encoded_data)
        expect(list(item.usermeta.values()) == ["red"], item.usermeta)

    def siblings() -> None:
        for value in (b"one", b"two"):
            bucket.new(conflict, encoded_data=value, content_type="text/plain").store(return_body=False)
        item = bucket.get(conflict)
        values = sorted(str(s.encoded_data) for s in item.siblings)
        expect(len(values) == 2, values)

    def resolve() -> None:
        item = bucket.get(conflict)
        chosen = item.siblings[0]
        chosen.encoded_data = b"one and two"
        item.siblings = [chosen]
        item.store()
        again = bucket.get(conflict)
        expect(len(again.siblings) == 1 and again.encoded_data in (b"one and two", "one and two"), again.siblings)

    def delete() -> None:
        bucket.get(plain).delete()
        expect(not bucket.get(plain).exists, "still there")

    run([("put", put), ("get", get), ("siblings", siblings), ("resolve", resolve), ("delete", delete)])


main()

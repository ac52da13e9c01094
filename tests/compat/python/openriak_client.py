"""PyPI openriak, over HTTP; needs Python 3.12 or newer."""

import asyncio
import sys

from openriak import Config, OpenRiak
from openriak.models import (
    DeleteObjectInput,
    GetObjectInput,
    MultipleChoicesError,
    NotFoundError,
    PutObjectOperationInput,
)
from smithy_core.exceptions import SmithyError
from steps import expect, run


def main() -> None:
    host, http_port, prefix = sys.argv[1:]
    loop = asyncio.new_event_loop()

    async def connect() -> OpenRiak:
        return OpenRiak(Config(endpoint_uri=f"http://{host}:{http_port}"))

    client = loop.run_until_complete(connect())
    plain, conflict = f"{prefix}-plain", f"{prefix}-conflict"

    def store(key: str, value: bytes, headers: dict[str, str] | None = None) -> None:
        loop.run_until_complete(
            client.put_object(
                PutObjectOperationInput(
                    bucket_type="siblings",
                    bucket="compat",
                    key=key,
                    content_type="text/plain",
                    riak_headers=headers,
                    body=value,
                )
            )
        )

    async def fetch_async(key: str) -> bytes:
        found = await client.get_object(GetObjectInput(bucket_type="siblings", bucket="compat", key=key))
        return await found.body.read()

    def fetch(key: str) -> bytes:
        return loop.run_until_complete(fetch_async(key))

    def fetch_siblings() -> MultipleChoicesError:
        try:
            value = fetch(conflict)
        except MultipleChoicesError as siblings:
            return siblings
        raise AssertionError(f"one value: {value!r}")

    def put() -> None:
        store(plain, b"hello")

    def get() -> None:
        expect(fetch(plain) == b"hello", "another value")

    def siblings() -> None:
        store(conflict, b"one")
        store(conflict, b"two")
        expect(fetch_siblings().vclock, "no vclock")

    def resolve() -> None:
        store(conflict, b"one and two", {"Vclock": fetch_siblings().vclock})
        expect(fetch(conflict) == b"one and two", "not resolved")

    def delete() -> None:
        loop.run_until_complete(
            client.delete_object(DeleteObjectInput(bucket_type="siblings", bucket="compat", key=plain))
        )
        try:
            fetch(plain)
        except (NotFoundError, SmithyError) as error:
            # The library takes every error body for JSON, and stumbles over Riak's plain text.
            expect(isinstance(error, NotFoundError) or "not found" in str(error), error)
            return
        raise AssertionError("still there")

    run([("put", put), ("get", get), ("siblings", siblings), ("resolve", resolve), ("delete", delete)])


main()

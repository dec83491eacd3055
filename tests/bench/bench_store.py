"""files.store_s3, files.open_s3: megabytes a second of a file encrypted into an S3 store (twenty megabytes, in parts),
and read and opened from it, against the same in a folder. The store is ours, in a process of its own on this machine:
it checks the signature, SHA-256 and MD5 of each request, and keeps the bytes in memory."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_bytes

import structlog

from portal.file_crypto import Encrypter, FileKeys, decrypt
from portal.gateways.storage import Store, connect
from tests.bench.harness import interleaved, report, seconds, size
from tests.gateways.s3_twin import ACCESS_KEY, SECRET_KEY

NAMES = ("files.store_s3", "files.open_s3")
MEGABYTES = 20
_PIECE = 64 * 1024
_KEYS = FileKeys.of({"bench": b"1" * 32})
_SERVER = """
import sys
from tests.gateways.s3_twin import S3Twin

with S3Twin() as twin:
    print(twin.url(), flush=True)
    sys.stdin.read()
"""


def run() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    content = token_bytes(size(MEGABYTES) * 1_000_000)
    with tempfile.TemporaryDirectory() as folder, _s3() as address:
        s3, disk = connect(address, ACCESS_KEY, SECRET_KEY), connect(f"file:{folder}")
        megabytes = len(content) / 1e6
        ours, limit = interleaved(
            lambda: megabytes / seconds(lambda: _store(s3, content)),
            lambda: megabytes / seconds(lambda: _store(disk, content)),
        )
        note = f"1 client, {megabytes:.0f} MB, a store of ours on the loopback; limit: a folder, with fsync"
        report("files.store_s3", ours, "MB/s", limit, note=note)
        ours, limit = interleaved(
            lambda: megabytes / seconds(lambda: _open(s3, len(content))),
            lambda: megabytes / seconds(lambda: _open(disk, len(content))),
        )
        report(
            "files.open_s3",
            ours,
            "MB/s",
            limit,
            note=f"1 client, {megabytes:.0f} MB; limit: a folder in the page cache",
        )


def _store(store: Store, content: bytes) -> None:
    with store.sink("bench") as sink:
        sealing = Encrypter(sink.write, _KEYS, context=b"bench")
        for at in range(0, len(content), _PIECE):
            sealing.write(content[at : at + _PIECE])
        sealing.finish()
        sink.commit()


def _open(store: Store, expected: int) -> None:
    with store.open("bench") as reader:
        assert sum(map(len, decrypt(reader, _KEYS, context=b"bench"))) == expected


@contextmanager
def _s3() -> Iterator[str]:
    server = subprocess.Popen([sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.communicate("")

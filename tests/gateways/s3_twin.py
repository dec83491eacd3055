"""An S3 store of ours, in memory: it checks every signature and digest as it arrives, and can be told to fail or lie.

The signature is worked out here from the bytes on the line, apart from the portal's own code.
"""

import base64
import hashlib
import hmac
import socket
import threading
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from portal.gateways.serving import Serving

ACCESS_KEY, SECRET_KEY, REGION, BUCKET = "AKTWIN", "a secret of the twin/+=", "fr-test", "parvis-files"
_SMALLEST_PART = 5 * 1024 * 1024


@dataclass
class S3Faults:
    """What goes wrong from now on. busy: how many requests are answered `busy_status`. cut: how many answers with a
    body stop at half of it, hang_up: how many requests get no answer. forgets_answer: how many are done, unanswered."""

    busy: int = 0
    busy_status: int = 503
    code: str = ""
    refusal: int = 403
    cut: int = 0
    hang_up: int = 0
    forgets_answer: int = 0
    slow_s: float = 0.0
    drips: bool = False
    says_done_and_fails: int = 0
    knows_no_ranges: bool = False
    lost: set[str] = field(default_factory=set)
    altered: set[str] = field(default_factory=set)
    skew_s: float = 0.0


@dataclass
class _Upload:
    key: str
    begun: datetime
    parts: dict[int, bytes] = field(default_factory=dict)


class S3Twin(Serving, ThreadingHTTPServer):
    """Listens on a free port of the loopback until the context ends."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Call)
        self.faults = S3Faults()
        self.objects: dict[str, bytes] = {}
        self.written: defaultdict[str, datetime] = defaultdict(lambda: datetime.now(UTC))
        self.uploads: dict[str, _Upload] = {}
        self.calls: list[str] = []
        self.lines = 0
        self.open_lines: set[socket.socket] = set()
        self.page = 1000
        self.lock = threading.Lock()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def url(self, prefix: str = "hospital") -> str:
        return f"s3+http://{self.host}/{BUCKET}/{prefix}?region={REGION}"

    def go_away(self) -> None:
        super().go_away()
        for line in list(self.open_lines):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is what some tests are about."""


class _Refusal(Exception):
    def __init__(self, status: int, code: str) -> None:
        self.status, self.code = status, code


class _Call(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: S3Twin

    def setup(self) -> None:
        super().setup()
        self.server.lines += 1
        self.server.open_lines.add(self.connection)

    def finish(self) -> None:
        self.server.open_lines.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_any(self) -> None:
        faults = self.server.faults
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.server.calls.append(f"{self.command} {','.join(sorted(query))}".strip())
        if faults.hang_up > 0:
            faults.hang_up -= 1
            self.close_connection = True
            return
        if faults.slow_s:
            self.server.stopped.wait(faults.slow_s)
        try:
            self._be_faulty()
            self._check_signature(parts.path, parts.query, body)
            self._check_digests(body)
            _slash, bucket, key = [*unquote(parts.path).split("/", 2), ""][:3]
            if bucket != BUCKET:
                raise _Refusal(404, "NoSuchBucket")
            status, headers, content = self._done(key, query, body)
        except _Refusal as refusal:
            status, headers = refusal.status, {}
            content = f"<?xml version='1.0'?><Error><Code>{refusal.code}</Code></Error>".encode()
        if faults.forgets_answer > 0:
            faults.forgets_answer -= 1
            self.close_connection = True
            return
        self._answer(status, headers, content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_any  # noqa: N815  # the standard library's names

    def _be_faulty(self) -> None:
        faults = self.server.faults
        if faults.busy > 0:
            faults.busy -= 1
            raise _Refusal(faults.busy_status, "SlowDown" if faults.busy_status == 503 else "InternalError")
        if faults.code:
            raise _Refusal(faults.refusal, faults.code)

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        faults = self.server.faults
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if faults.cut > 0 and content:
            faults.cut -= 1
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        elif faults.drips:
            for at in range(len(content)):
                self.wfile.write(content[at : at + 1])
                time.sleep(0.02)
        else:
            self.wfile.write(content)

    def _check_signature(self, path: str, query: str, body: bytes) -> None:
        scheme, _space, rest = self.headers.get("Authorization", "").partition(" ")
        given = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        if scheme != "AWS4-HMAC-SHA256":
            raise _Refusal(403, "AccessDenied")
        access_key, day, region, service, end = given["Credential"].split("/")
        if access_key != ACCESS_KEY:
            raise _Refusal(403, "InvalidAccessKeyId")
        if (region, service, end) != (REGION, "s3", "aws4_request"):
            raise _Refusal(400, "AuthorizationHeaderMalformed")
        moment = self.headers["x-amz-date"]
        sent_at = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs((datetime.now(UTC) - sent_at).total_seconds() + self.server.faults.skew_s) > 900:
            raise _Refusal(403, "RequestTimeTooSkewed")
        names = given["SignedHeaders"].split(";")
        if not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names):
            raise _Refusal(403, "AccessDenied")
        by_name = sorted(part.partition("=")[::2] for part in query.split("&") if part)
        asked = [
            self.command,
            quote(unquote(path), safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in by_name),
            *[f"{name}:{self.headers[name].strip()}" for name in names],
            "",
            ";".join(names),
            self.headers["x-amz-content-sha256"],
        ]
        digest = hashlib.sha256("\n".join(asked).encode()).hexdigest()
        key = ("AWS4" + SECRET_KEY).encode()
        for step in (day, REGION, "s3", "aws4_request"):
            key = hmac.new(key, step.encode(), hashlib.sha256).digest()
        to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{day}/{REGION}/s3/aws4_request\n{digest}"
        if not hmac.compare_digest(hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest(), given["Signature"]):
            raise _Refusal(403, "SignatureDoesNotMatch")

    def _check_digests(self, body: bytes) -> None:
        if hashlib.sha256(body).hexdigest() != self.headers["x-amz-content-sha256"]:
            raise _Refusal(400, "XAmzContentSHA256Mismatch")
        told = self.headers.get("Content-MD5")
        if told and base64.b64decode(told) != hashlib.md5(body).digest():
            raise _Refusal(400, "BadDigest")
        if self.command == "PUT" and body and not told:
            raise _Refusal(400, "InvalidRequest")  # as where objects are locked

    def _done(self, key: str, query: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        with self.server.lock:
            if not key:
                return 200, {}, (self._uploads(query) if "uploads" in query else self._list(query))
            if "uploads" in query:
                upload_id = f"upload-{len(self.server.calls)}"
                self.server.uploads[upload_id] = _Upload(key, datetime.now(UTC))
                return 200, {}, _xml("InitiateMultipartUploadResult", f"<UploadId>{upload_id}</UploadId>")
            if "uploadId" in query:
                return self._upload(key, query, body)
            return self._object(key, body)

    def _object(self, key: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        objects, faults = self.server.objects, self.server.faults
        if self.command == "PUT":
            objects[key] = body
            self.server.written[key] = datetime.now(UTC)
            return 200, {"ETag": _tag(body)}, b""
        if self.command == "DELETE":
            objects.pop(key, None)
            return 204, {}, b""
        if key not in objects or key in faults.lost:
            raise _Refusal(404, "NoSuchKey")
        content = objects[key]
        tag = _tag(content)
        if key in faults.altered:
            content = (
                content[: len(content) // 2]
                + bytes([content[len(content) // 2] ^ 1])
                + content[len(content) // 2 + 1 :]
            )
        if self.command == "HEAD":
            return 200, {"ETag": tag, "Content-Length": str(len(content))}, b""
        if self.headers.get("If-Match", tag) != tag:
            raise _Refusal(412, "PreconditionFailed")
        wanted = self.headers.get("Range")
        if not wanted or faults.knows_no_ranges:
            return 200, {"ETag": tag}, content
        first, last = (int(each) for each in wanted.removeprefix("bytes=").split("-"))
        if first >= len(content):
            raise _Refusal(416, "InvalidRange")
        last = min(last, len(content) - 1)
        headers = {"ETag": tag, "Content-Range": f"bytes {first}-{last}/{len(content)}"}
        return 206, headers, content[first : last + 1]

    def _upload(self, key: str, query: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        uploads, faults = self.server.uploads, self.server.faults
        upload = uploads.get(query["uploadId"])
        if upload is None or upload.key != key:
            raise _Refusal(404, "NoSuchUpload")
        if self.command == "PUT":
            upload.parts[int(query["partNumber"])] = body
            return 200, {"ETag": _tag(body)}, b""
        if self.command == "DELETE":
            del uploads[query["uploadId"]]
            return 204, {}, b""
        parts = [upload.parts[number] for number in sorted(upload.parts)]
        named = [each.split("</ETag>")[0] for each in body.decode().split("<ETag>")[1:]]
        if named != [_tag(part) for part in parts]:
            raise _Refusal(400, "InvalidPart")
        if any(len(part) < _SMALLEST_PART for part in parts[:-1]):
            raise _Refusal(400, "EntityTooSmall")
        if faults.says_done_and_fails > 0:  # as the real one does: it has answered 200 before it knows
            faults.says_done_and_fails -= 1
            return 200, {}, b"<?xml version='1.0'?>\n<Error><Code>InternalError</Code></Error>"
        self.server.objects[key] = b"".join(parts)
        del uploads[query["uploadId"]]
        return 200, {}, _xml("CompleteMultipartUploadResult", f"<Key>{key}</Key>")

    def _list(self, query: dict[str, str]) -> bytes:
        assert query["list-type"] == "2"
        lost = self.server.faults.lost
        after = query.get("continuation-token", "")
        every = sorted(key for key in self.server.objects if key.startswith(query["prefix"]) and key not in lost)
        left = [key for key in every if key > after]
        shown = left[: self.server.page]
        found = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{self.server.written[key]:%Y-%m-%dT%H:%M:%S.000Z}"
            "</LastModified></Contents>"
            for key in shown
        )
        more = len(left) > len(shown)
        token = f"<NextContinuationToken>{shown[-1]}</NextContinuationToken>" if more else ""
        return _xml("ListBucketResult", f"<IsTruncated>{str(more).lower()}</IsTruncated>{found}{token}")

    def _uploads(self, query: dict[str, str]) -> bytes:
        every = [
            f"<Upload><Key>{upload.key}</Key><UploadId>{name}</UploadId>"
            f"<Initiated>{upload.begun.strftime('%Y-%m-%dT%H:%M:%S.000Z')}</Initiated></Upload>"
            for name, upload in self.server.uploads.items()
            if upload.key.startswith(query["prefix"])
        ]
        return _xml("ListMultipartUploadsResult", "<IsTruncated>false</IsTruncated>" + "".join(every))


def _tag(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'


def _xml(name: str, inside: str) -> bytes:
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>\n<{name} xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>"
        f"{inside}</{name}>"
    ).encode()

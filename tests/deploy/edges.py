"""The edge that a hospital has, on sockets of its own: our web process, and the proxies whose settings we ship."""

import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.deploy.facts import DEPLOY, gunicorn_arguments

HOST = "portail.hopital.example"
"""The name that the examples bear."""
TOO_LONG_S = 5.0
_SETTLED_S = 10.0
_AGAIN_S = 0.5
_HELLO = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
NGINX = (DEPLOY / "nginx/parvis.conf").read_text(encoding="utf-8")
HAPROXY = (DEPLOY / "haproxy/parvis.cfg").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Edge:
    """Where requests arrive. place: an address, or the path of a socket."""

    place: tuple[str, int] | str
    is_tls: bool = False

    @contextmanager
    def line(self) -> Iterator[socket.socket]:
        """A connection of its own, as a browser's."""
        kind = socket.AF_UNIX if isinstance(self.place, str) else socket.AF_INET
        with socket.socket(kind) as plain:
            plain.settimeout(TOO_LONG_S)
            plain.connect(self.place)
            if not self.is_tls:
                yield plain
                return
            trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
            with trusting.wrap_socket(plain, server_hostname=HOST) as wrapped:
                yield wrapped

    def says(self, said: str, patience_s: float = TOO_LONG_S) -> bytes:
        """What is answered to these bytes until the other side hangs up, or says nothing more for so long."""
        heard = bytearray()
        with suppress(OSError), self.line() as line:
            line.settimeout(patience_s)
            line.sendall(said.encode("latin-1"))
            while piece := line.recv(65536):
                heard += piece
        return bytes(heard)

    def body_of(self, path: str) -> str:
        """The body of a page; empty when there is nobody."""
        said = self.says(_HELLO.replace("/", path, 1))
        return said.partition(b"\r\n\r\n")[2].decode()


@dataclass(frozen=True)
class Proxy:
    """A proxy of ours: what it serves, and its port 80."""

    site: Edge
    plain: Edge


@contextmanager
def web_process() -> Iterator[Edge]:
    """One web process with the arguments of `parvis web`, which serves `tests.deploy.answering`."""
    with pytest.MonkeyPatch.context() as patch:
        asked = gunicorn_arguments(patch)
    arguments = {name: value for name, value in asked.items() if name.startswith("--")}
    with socket.create_server(("127.0.0.1", 0), backlog=64) as door:
        changed = {"--bind": f"fd://{door.fileno()}", "--workers": "1", "--log-level": "critical"}
        words = [word for pair in (arguments | changed).items() if not pair[1].startswith("--") for word in pair]
        command = [sys.executable, "-m", "gunicorn", "tests.deploy.answering:answer", *words, "--no-control-socket"]
        edge = Edge(("127.0.0.1", door.getsockname()[1]))
        with _running(command, waits_for=edge, pass_fds=[door.fileno()]):
            yield edge


@contextmanager
def nginx(folder: Path, sockets: str, web: Edge, *, machines: bool = False) -> Iterator[Proxy]:
    """nginx with the settings of deploy/. sockets: a folder with a short name."""
    settings = nginx_settings(folder, sockets, machines=machines)
    text = settings.read_text(encoding="utf-8").replace("127.0.0.1:8000", "{}:{}".format(*web.place))
    settings.write_text(f"daemon off; master_process off; {text}", encoding="utf-8")
    proxy = Proxy(Edge(f"{sockets}/443", is_tls=True), Edge(f"{sockets}/80"))
    with _running(["nginx", "-c", settings, "-p", folder], waits_for=proxy.plain):
        yield proxy


def nginx_settings(folder: Path, sockets: str, *, machines: bool) -> Path:
    """Those of deploy/, where no port of this machine is opened: sockets in a folder, whose path holds 107 bytes."""
    (folder / "parvis").mkdir()
    shown = certificate(folder / "certificate.pem")
    for name in ("static-headers.conf", *(["machines.conf"] if machines else [])):
        text = (DEPLOY / "nginx" / name).read_text(encoding="utf-8")
        (folder / "parvis" / name).write_text(re.sub(r"/etc/parvis/tls/\S+\.pem", str(shown), text))
    site = re.sub(r"/etc/parvis/tls/\S+\.(pem|key)", str(shown), NGINX)
    site = site.replace("/etc/nginx", str(folder)).replace("/run/parvis-proxy", str(folder))
    site = re.sub(r"    listen \[::\].*\n", "", site.replace("/var/log/nginx", str(folder)))
    site = re.sub(r"listen (80|443)", rf"listen unix:{sockets}/\1", site)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    http = "".join(f"{each}_temp_path {folder}/{each};" for each in kinds) + f"access_log off;\n{site}\n"
    made = folder / "n.conf"
    made.write_text(f"pid {folder}/pid; error_log stderr; events {{}} http {{ {http} }}", encoding="utf-8")
    return made


@contextmanager
def haproxy(folder: Path, sockets: str, web: Edge) -> Iterator[Proxy]:
    """HAProxy with the settings of deploy/."""
    text = re.sub(r"(?m)^    server web2 .*\n", "", haproxy_text(folder, HAPROXY))
    text = text.replace("10.0.0.11:8000", "{}:{}".format(*web.place)).replace("maxconn 20000", "maxconn 200")
    text = re.sub(r"bind :(80|443)", rf"bind unix@{sockets}/\1", text)
    settings = folder / "h.cfg"
    settings.write_text(text, encoding="utf-8")
    proxy = Proxy(Edge(f"{sockets}/443", is_tls=True), Edge(f"{sockets}/80"))
    with _running(["haproxy", "-db", "-f", settings], waits_for=proxy.plain):
        yield proxy


def haproxy_text(folder: Path, text: str) -> str:
    """Settings of HAProxy that need nobody's rights, with a certificate and a page of this folder."""
    shown = certificate(folder / "certificate.pem")
    page = folder / "503.http"
    page.write_bytes(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
    text = re.sub(r"/etc/parvis/tls/\S+\.pem", str(shown), text)
    text = re.sub(r"(?m)^    (user|group|chroot|stats socket) .*\n", "", text)
    return text.replace("/etc/haproxy/parvis-503.http", str(page))


@contextmanager
def _running(command: list[Any], waits_for: Edge, **words: Any) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **words)
    try:
        until = time.monotonic() + _SETTLED_S
        while not waits_for.says(_HELLO, _AGAIN_S) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        yield
    finally:
        process.kill()
        process.wait()


def certificate(path: Path) -> Path:
    """A certificate and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    today = datetime(2026, 11, 23, tzinfo=UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(today).not_valid_after(today + timedelta(days=3650)).sign(key, hashes.SHA256())
    )  # fmt: skip
    plain = serialization.NoEncryption()
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    return path

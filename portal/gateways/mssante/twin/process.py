"""The twin in its own process, for the demonstration: its boxes are open, and its papers lie where the portal looks."""

import argparse
import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from email.utils import getaddresses
from pathlib import Path

import requests

from portal.gateways.mssante.twin import addresses, letters
from portal.gateways.mssante.twin.faults import Point
from portal.gateways.mssante.twin.post_office import PostOffice
from portal.gateways.mssante.twin.server import RunningTwin

PAPERS = ("anchors.pem", "certificate.pem", "key.pem", "revocations.pem")
_USERINFO_SECONDS = 5.0


def write_papers(twin: RunningTwin, folder: Path) -> None:
    """What the portal is given to know the twin by; readable by their owner alone."""
    folder.mkdir(parents=True, exist_ok=True)
    papers = twin.papers
    for name, text in zip(PAPERS, (papers.anchors, papers.certificate, papers.key, papers.revocations), strict=True):
        fresh = folder / f"{name}.new"
        fresh.touch(mode=0o600)
        fresh.write_text(text, encoding="ascii")
        fresh.replace(folder / name)


def bring_letters(post: PostOffice, folder: Path) -> None:
    """Deliver each `*.eml` of a folder to those that its To and Cc name, as if its author had just sent it."""
    for path in sorted(folder.glob("*.eml")):
        raw = path.read_bytes()
        headers = letters.parsed(raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        named = getaddresses([str(value) for name in ("To", "Cc") for value in headers.get_all(name, [])])
        sender = getaddresses([str(headers["From"] or "")])[0][1]
        post.take(sender.lower(), [(address.lower(), "") for _name, address in named if address], raw)


def holder_at(userinfo_url: str) -> Callable[[str], str]:
    """A token → the SubjectNameID of its holder, asked of the demonstration's Pro Santé Connect; empty: it ended."""

    def holder(token: str) -> str:
        try:
            found = requests.get(userinfo_url, headers={"Authorization": f"Bearer {token}"}, timeout=_USERINFO_SECONDS)
            return str(found.json().get("SubjectNameID", "")) if found.ok else ""
        except (requests.RequestException, ValueError, AttributeError):
            return ""

    return holder


def main(arguments: Sequence[str] | None = None) -> None:
    """`python -m portal.gateways.mssante.twin --smtp-port N --imap-port N --papers FOLDER`; prints its address.

    `MSSANTE_TWIN_USERINFO_URL` is where it asks whom a Pro Santé Connect token belongs to; without it none is good.
    """
    parser = argparse.ArgumentParser(prog="mssante_twin", description="An MSSanté operator for demonstrations.")
    parser.add_argument("--smtp-port", type=int, default=0, help="port of SMTP; a free one by default")
    parser.add_argument("--imap-port", type=int, default=0, help="port of IMAP; a free one by default")
    parser.add_argument("--papers", type=Path, help="where to write its anchors, list of revocations and a certificate")
    parser.add_argument("--fault", default="", help="a fault and its point, for tests: silent_at=in_data")
    parser.add_argument("--letters", type=Path, help="mails (*.eml) that wait in the boxes when it starts")
    chosen = parser.parse_args(arguments)
    post = PostOffice()
    addresses.open_all(post)
    if url := os.environ.get("MSSANTE_TWIN_USERINFO_URL", ""):
        post.holder_of = holder_at(url)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), RunningTwin(chosen.smtp_port, chosen.imap_port, post).start() as twin:
        if chosen.fault:
            fault, _, point = chosen.fault.partition("=")
            setattr(twin.faults, fault, Point(point))
        if chosen.papers:
            write_papers(twin, chosen.papers)
        if chosen.letters:
            bring_letters(post, chosen.letters)
        print(f"MSSanté twin on {twin.url(password=addresses.PASSWORD)}", flush=True)  # noqa: T201 - its parent reads this line
        threading.Event().wait()

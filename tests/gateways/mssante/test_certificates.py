"""Nothing is said to what cannot prove that it is the operator."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from portal.gateways import UnsupportedUrl
from portal.gateways.mssante import Box, Operator, Place, Submission, Untrusted, connect
from portal.gateways.mssante.revocation import RevocationList
from portal.gateways.mssante.twin import Paper, Point
from portal.gateways.mssante.twin.certificates import Authority
from tests.gateways.mssante.conftest import OURS, THEIRS, Ground, mail


def submit(operator: Operator, box: Box) -> None:
    operator.submit(box, Submission([THEIRS], mail()))


def read(operator: Operator, box: Box) -> None:
    with operator.read(box, Place()):
        pass


both = pytest.mark.parametrize("use", [submit, read])


@both
@pytest.mark.parametrize("paper", [paper for paper in Paper if paper is not Paper.GOOD])
def test_a_certificate_that_proves_nothing_is_told_nothing(ground: Ground, use, paper: Paper) -> None:  # type: ignore[no-untyped-def]  # a use of the door
    ground.twin.faults.paper = paper
    # If the portal said anything more, the twin would answer with what is no Untrusted.
    ground.twin.faults.answers = {Point.EHLO_AGAIN: "500 told", Point.IMAP_LOGIN: "NO told"}
    with pytest.raises(Untrusted):
        use(ground.operator(), ground.box)


@both
def test_an_operator_that_does_not_encrypt_is_told_nothing(ground: Ground, use) -> None:  # type: ignore[no-untyped-def]  # the same
    ground.twin.faults.no_starttls = True
    with pytest.raises(Untrusted, match="STARTTLS"):
        use(ground.operator(), ground.box)


@both
def test_weak_encryption_is_refused(ground: Ground, use) -> None:  # type: ignore[no-untyped-def]  # the same
    ground.twin.faults.weak_ciphers = True
    with pytest.raises(Untrusted):
        use(ground.operator(), ground.box)


@both
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_tls_before_1_2_is_refused(ground: Ground, use, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]  # the same
    made = ground.twin.entrance.tls()
    made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_1
    made.set_ciphers("ALL:@SECLEVEL=0")
    monkeypatch.setattr(ground.twin.entrance, "tls", lambda: made)
    with pytest.raises(Untrusted):
        use(ground.operator(), ground.box)


def test_an_authority_is_enough_without_its_root(ground: Ground) -> None:
    """The hospital may accept one branch of IGC-Santé alone."""
    root, branch = Authority("AC racine"), ground.twin.wallet.authority
    assert root.anchors not in ground.twin.papers.anchors
    ground.operator().check(None)
    with pytest.raises(Untrusted):
        ground.operator(papers=replace(ground.twin.papers, anchors=root.anchors, revocations="")).check(None)
    ground.operator(papers=replace(ground.twin.papers, anchors=root.anchors + branch.anchors)).check(None)


def test_papers_may_be_files(ground: Ground, tmp_path: Path) -> None:
    papers = ground.twin.papers
    for name in ("anchors", "certificate", "key", "revocations"):
        (tmp_path / name).write_text(getattr(papers, name))
        papers = replace(papers, **{name: str(tmp_path / name)})
    ground.operator("client_cert", papers).check(Box(OURS))
    (tmp_path / "list.der").write_bytes(ground.twin.wallet.authority.revocations(encoding=Encoding.DER))
    ground.operator(papers=replace(papers, revocations=str(tmp_path / "list.der"))).check(None)


@pytest.mark.parametrize("name", ["anchors", "certificate", "key", "revocations"])
@pytest.mark.parametrize("wrong", ["/nowhere/paper.pem", "-" * 5 + "BEGIN NOTHING" + "-" * 5, "\0"])
def test_papers_that_cannot_be_read_are_told_at_once(ground: Ground, name: str, wrong: str) -> None:
    with pytest.raises(UnsupportedUrl) as caught:
        ground.operator("client_cert", replace(ground.twin.papers, **{name: wrong}))
    assert "nowhere" not in str(caught.value)


def test_a_key_that_is_not_of_the_certificate_is_told_at_once(ground: Ground) -> None:
    other = ground.twin.wallet.authority.issue("Autre")
    with pytest.raises(UnsupportedUrl):
        ground.operator("client_cert", replace(ground.twin.papers, key=other.key))


def test_the_key_shows_nowhere(ground: Ground) -> None:
    assert ground.twin.papers.key not in repr(ground.twin.papers)


@both
def test_an_expired_list_of_revoked_certificates_shuts_the_door(ground: Ground, use) -> None:  # type: ignore[no-untyped-def]  # the same
    expired = ground.twin.wallet.authority.revocations(timedelta(seconds=-1)).decode()
    operator = ground.operator(papers=replace(ground.twin.papers, revocations=expired))
    with pytest.raises(Untrusted, match="expired"):
        use(operator, ground.box)


def test_a_list_of_another_authority_says_nothing_of_this_one(ground: Ground) -> None:
    other = Authority("Une autre AC").revocations().decode()
    with pytest.raises(Untrusted):
        ground.operator(papers=replace(ground.twin.papers, revocations=other)).check(None)


def test_a_list_that_somebody_forged_is_not_believed(ground: Ground) -> None:
    forged = Authority("AC de démonstration MSSanté").revocations().decode()  # the same name, another key
    with pytest.raises(Untrusted):
        ground.operator(papers=replace(ground.twin.papers, revocations=forged)).check(None)


def test_a_file_that_was_renewed_opens_the_door_again(ground: Ground, tmp_path: Path) -> None:
    authority, path = ground.twin.wallet.authority, tmp_path / "list.pem"
    path.write_bytes(authority.revocations(timedelta(seconds=-1)))
    operator = ground.operator(papers=replace(ground.twin.papers, revocations=str(path)))
    with pytest.raises(Untrusted):
        operator.check(None)
    path.write_bytes(authority.revocations())
    operator.check(None)


class Published:
    """What an authority publishes now; None: it does not answer."""

    def __init__(self) -> None:
        self.content: bytes | None = None
        self.asked = 0
        self.url = ""


@contextmanager
def publishing() -> Iterator[Published]:
    published = Published()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            published.asked += 1
            self.send_response(503 if published.content is None else 200)
            self.end_headers()
            self.wfile.write(published.content or b"")

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    published.url = f"http://127.0.0.1:{server.server_port}/list.crl"
    try:
        yield published
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Time:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_published_list_is_fetched_now_and_then_and_kept_while_it_is_good(ground: Ground) -> None:
    authority, time = ground.twin.wallet.authority, Time()
    with publishing() as published:
        kept = RevocationList(published.url, clock=time)
        with pytest.raises(Untrusted, match="cannot be had"):
            kept.current()
        published.content = authority.revocations()
        time.seconds += 61
        first = kept.current()
        assert (kept.current(), published.asked) == (first, 2)
        for content in (None, b"garbage", authority.revocations(timedelta(seconds=-1))):
            published.content = content
            time.seconds += 3601
            assert kept.current() == first
        authority.revoke(authority.issue("Volé"))
        published.content = authority.revocations()
        time.seconds += 61
        assert kept.current() != first


def test_a_published_list_closes_the_door_to_a_revoked_operator(ground: Ground) -> None:
    with publishing() as published:
        published.content = ground.twin.wallet.authority.revocations(encoding=Encoding.DER)
        operator = connect(ground.twin.url(), replace(ground.twin.papers, revocations=published.url), production=False)
        operator.check(ground.box)
        ground.twin.faults.paper = Paper.REVOKED
        with pytest.raises(Untrusted):
            operator.check(ground.box)


def test_a_list_without_an_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.gateways.mssante.revocation._MOST_BYTES", 100_000)
    with publishing() as published:
        published.content = b"x" * 1_000_000
        with pytest.raises(Untrusted):
            RevocationList(published.url).current()


def test_on_this_machine_a_trial_may_go_without_papers_and_without_encryption(ground: Ground) -> None:
    operator = connect(ground.twin.url(), production=False)
    operator.check(ground.box)
    assert operator.size_limit(ground.box) == ground.twin.post.size_limit

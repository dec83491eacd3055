"""Whom the portal believes to be the operator, and how it proves who it is: certificates of IGC-Santé.

Its authorities are in no public store: the hospital gives those it accepts ("gamme Élémentaire, domaine
Organisations"), alone and without their roots if it wants (référentiel 2, ECO.1.1.5, 1.1.6 and 1.1.10).
"""

import re
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509

from portal.gateways import Unavailable, UnsupportedUrl
from portal.gateways.mssante.contract import Untrusted
from portal.gateways.mssante.revocation import revocation_list

# Forward secrecy and authenticated encryption alone (ANSSI's guide of TLS); TLS 1.3 has no other.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM"
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]+-----")


@dataclass(frozen=True, slots=True)
class Papers:
    """What the hospital gives, each the path of a PEM file or its text.

    anchors: the authorities it accepts. certificate, key: its own, for mutual TLS. revocations: the authorities' list
    of revoked certificates: PEM or DER file, its text, or where it is published (http:, https:).
    """

    anchors: str = ""
    certificate: str = ""
    key: str = field(default="", repr=False)
    revocations: str = ""


class Trust:
    """Makes the TLS of each line; safe to share between threads."""

    def __init__(self, papers: Papers, *, loopback_without_papers: bool = False) -> None:
        """loopback_without_papers: nothing is proved when there are no anchors, for trials on this machine.

        Raises `UnsupportedUrl` when a paper cannot be read.
        """
        self.is_blind = loopback_without_papers and not papers.anchors
        self.has_certificate = bool(papers.certificate)
        self._papers = papers
        self._revocations = revocation_list(papers.revocations) if papers.revocations else None
        self._made()

    def context(self) -> ssl.SSLContext:
        """For one line; files are read again, since certificates are renewed. Raises `Untrusted` when one cannot be
        read any more, or no list of revoked certificates is good today."""
        try:
            made = self._made()
        except UnsupportedUrl:
            raise Untrusted("the certificates by which the operator is known cannot be read any more") from None
        if self._revocations is not None:
            with _as_file(self._revocations.current()) as path:
                made.load_verify_locations(cafile=path)
            made.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        return made

    def _made(self) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.set_ciphers(_CIPHERS)
        if self.is_blind:
            made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
            return made
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            made.load_verify_locations(cadata=_text(self._papers.anchors))
        except (ssl.SSLError, ValueError):
            raise UnsupportedUrl("mssante: the trust anchors are no PEM certificates") from None
        self._show_ours(made)
        return made

    def _show_ours(self, made: ssl.SSLContext) -> None:
        if not self._papers.certificate:
            return
        with _as_file(_text(self._papers.certificate)) as chain, _as_file(_text(self._papers.key)) as key:
            try:
                # An empty password: OpenSSL would ask one at the keyboard for a key that has one.
                made.load_cert_chain(chain, key, password="")
            except (ssl.SSLError, ValueError, OSError):
                raise UnsupportedUrl("mssante: our certificate and its key cannot be read, or do not match") from None


@contextmanager
def handshake() -> Iterator[None]:
    """Around the beginning of TLS. Raises `Untrusted` when the other side is not whom it should be."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise Untrusted(f"the operator's certificate is not to be trusted: {error.verify_message}") from None
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError):
        raise Unavailable("the operator hangs up when asked to encrypt") from None
    except ssl.SSLError:
        raise Untrusted("the operator's encryption is not to be trusted") from None


def ends_at(certificate: str) -> datetime | None:
    """When a certificate (path of a PEM file, or its text) ends; None when it cannot be read."""
    try:
        return x509.load_pem_x509_certificate(_text(certificate).encode()).not_valid_after_utc
    except (UnsupportedUrl, ValueError):
        return None


def _text(paper: str) -> str:
    if _PEM.match(paper.strip()):
        return paper
    try:
        return Path(paper).read_text(encoding="ascii")
    except (OSError, ValueError):
        raise UnsupportedUrl("mssante: a file of certificates cannot be read, or is not PEM") from None


@contextmanager
def _as_file(text: str) -> Iterator[str]:
    """OpenSSL reads keys and lists from files alone; this one is ours alone, and does not last."""
    with tempfile.NamedTemporaryFile("w", encoding="ascii", suffix=".pem") as file:
        file.write(text)
        file.flush()
        yield file.name

"""The door to the operators of MSSanté, the national secure mail of health professionals."""

from collections.abc import Mapping

from portal.gateways import UnsupportedUrl
from portal.gateways.mssante.contract import (
    Box,
    NobodyTaken,
    NotLetIn,
    Operator,
    Place,
    Reading,
    Submission,
    Submitted,
    TooLarge,
    Untrusted,
    Waiting,
)
from portal.gateways.mssante.means import ClientCertificate, Means, Password, PscBearer
from portal.gateways.mssante.operators import MssanteOperator
from portal.gateways.mssante.trust import Papers, Trust, ends_at
from portal.gateways.mssante.url import Auth, OperatorAddress, parse

__all__ = [
    "SETTINGS", "Auth", "Box", "NobodyTaken", "NotLetIn", "Operator", "Papers", "Place", "Reading", "Submission",
    "Submitted", "TooLarge", "Untrusted", "Waiting", "connect", "ends_at", "papers_of",
]  # fmt: skip

# The settings of a hospital (`portal.establishments`) that say where its operator is, and by what it is known.
SETTINGS = ("mssante_url", "mssante_anchors", "mssante_certificate", "mssante_key", "mssante_revocations")

# 25 MB is the most of a mail that comes from a citizen (Mon espace santé); operators of professionals take less.
MOST_BYTES = 30 * 2**20


def connect(
    url: str,
    papers: Papers | None = None,
    *,
    production: bool = True,
    most_bytes: int = MOST_BYTES,
    timeout_seconds: float = 120.0,
) -> Operator:
    """`smtp+imap://user@host:port?imap=host:port&auth=xoauth2|client_cert|password`, and the hospital's papers.

    user: signs in instead of the box's own address. A password may be there too (`user:password@`), outside production,
    for boxes that give none. On this machine, outside production and without trust anchors, nothing is proved.
    most_bytes: a mail that is larger is not read. timeout_seconds: of one mail sent, or one read.
    Opens no connection yet. Raises `UnsupportedUrl`.
    """
    address = parse(url)
    papers = papers or Papers()
    _refuse_missing_papers(address, papers, production=production)
    trust = Trust(papers, loopback_without_papers=address.is_loopback and not production)
    return MssanteOperator(address, trust, _means(address), most_bytes=most_bytes, timeout_seconds=timeout_seconds)


def papers_of(settings: Mapping[str, str]) -> Papers:
    """Among `SETTINGS`: each the path of a PEM file or its text; `mssante_revocations` may be where it is published."""
    return Papers(*(settings.get(name, "").strip() for name in SETTINGS[1:]))


def _refuse_missing_papers(address: OperatorAddress, papers: Papers, *, production: bool) -> None:
    if production and address.auth is Auth.PASSWORD:
        raise UnsupportedUrl("mssante: production opens no box with a password: use auth=xoauth2 or auth=client_cert")
    if production and address.is_loopback:
        raise UnsupportedUrl("mssante: production refuses the demonstration's operator")
    if not papers.anchors and (production or not address.is_loopback):
        raise UnsupportedUrl("mssante: the trust anchors (authorities of IGC-Santé) are missing")
    if production and not papers.revocations:
        raise UnsupportedUrl("mssante: the list of revoked certificates (CRL) is missing")
    if address.auth is Auth.CLIENT_CERT and not (papers.certificate and papers.key):
        raise UnsupportedUrl("mssante: auth=client_cert needs a certificate and its key")


def _means(address: OperatorAddress) -> Means:
    match address.auth:
        case Auth.XOAUTH2:
            return PscBearer(address.user)
        case Auth.CLIENT_CERT:
            return ClientCertificate(address.user)
        case Auth.PASSWORD:
            return Password(address.user, address.password)

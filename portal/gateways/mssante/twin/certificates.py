"""The twin's own authority: certificates made at start for it and for organisations, and what it has revoked."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_YEAR = timedelta(days=365)


class Paper(StrEnum):
    """Which certificate the twin shows."""

    GOOD = "good"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    OTHER_HOST = "other_host"
    STRANGER = "stranger"  # of an authority that nobody knows
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str
    serial: int


class Authority:
    """A certificate authority that lasts as long as the process."""

    def __init__(self, name: str = "AC de démonstration MSSanté") -> None:
        self._name = _named(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._revoked: set[int] = set()
        now = datetime.now(UTC)
        self._certificate = self._signed(
            self._name, self._key.public_key(), (now - _YEAR, now + 2 * _YEAR), x509.BasicConstraints(True, None)
        )

    @property
    def anchors(self) -> str:
        return self._certificate.public_bytes(Encoding.PEM).decode()

    def issue(
        self, name: str, *, hosts: tuple[str, ...] = (), starts: timedelta = -_YEAR, ends: timedelta = _YEAR
    ) -> Issued:
        """hosts: names and IP addresses. starts, ends: from now."""
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        names = x509.SubjectAlternativeName([_alternative(host) for host in hosts]) if hosts else None
        made = self._signed(
            _named(name), key.public_key(), (now + starts, now + ends), x509.BasicConstraints(False, None), names
        )
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return Issued(made.public_bytes(Encoding.PEM).decode(), pem, made.serial_number)

    def revoke(self, issued: Issued) -> None:
        self._revoked.add(issued.serial)

    def has_revoked(self, serial: int) -> bool:
        return serial in self._revoked

    def revocations(self, ends: timedelta = timedelta(days=7), *, encoding: Encoding = Encoding.PEM) -> bytes:
        """The list of what it has revoked, good until `ends` from now (negative: expired)."""
        now = datetime.now(UTC)
        made = x509.CertificateRevocationListBuilder().issuer_name(self._name)
        made = made.last_update(now - _YEAR).next_update(now + ends)
        for serial in sorted(self._revoked):
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - _YEAR / 2)
            made = made.add_revoked_certificate(revoked.build())
        return made.sign(self._key, hashes.SHA256()).public_bytes(encoding)

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        lasts: tuple[datetime, datetime],
        *extensions: x509.ExtensionType | None,
    ) -> x509.Certificate:
        made = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number(), *lasts)
        for extension in filter(None, extensions):
            made = made.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return made.add_extension(issuer, critical=False).sign(self._key, hashes.SHA256())


class Wallet:
    """Everything that the twin may show, and what the portal is given to know it by."""

    def __init__(self) -> None:
        self.authority = Authority()
        self.client = self.authority.issue("CH de démonstration")
        self.revoked_client = self.authority.issue("CH fermé")
        self._shown: dict[Paper, Issued] = {}
        self.authority.revoke(self.revoked_client)
        self.authority.revoke(self.shown(Paper.REVOKED))

    def shown(self, paper: Paper) -> Issued:
        """The twin's certificate, made when it is first asked for."""
        if paper not in self._shown:
            self._shown[paper] = self._made(paper)
        return self._shown[paper]

    def _made(self, paper: Paper) -> Issued:
        here = ("127.0.0.1", "::1", "localhost")
        authority = Authority("AC inconnue") if paper is Paper.STRANGER else self.authority
        lasts = {
            Paper.EXPIRED: {"starts": -_YEAR / 2, "ends": timedelta(days=-1)},
            Paper.NOT_YET: {"starts": timedelta(days=1)},
        }.get(paper, {})
        hosts = ("operateur.mssante.test",) if paper is Paper.OTHER_HOST else here
        return authority.issue("Opérateur de démonstration", hosts=hosts, **lasts)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)

"""Who may open which box of the twin, and what the twin shows of itself."""

import ssl
import tempfile
from dataclasses import dataclass, field

from cryptography import x509

from portal.gateways.mssante.twin.boxes import Kind
from portal.gateways.mssante.twin.certificates import Issued, Wallet
from portal.gateways.mssante.twin.faults import Faults
from portal.gateways.mssante.twin.line import Line
from portal.gateways.mssante.twin.post_office import PostOffice


@dataclass
class Entrance:
    """What both of the twin's servers share. recipient_answers: address → what SMTP says of it."""

    post: PostOffice
    wallet: Wallet
    faults: Faults
    recipient_answers: dict[str, str] = field(default_factory=dict)

    def mechanisms(self, line: Line, prefix: str = "") -> str:
        """What may be shown on this line."""
        found = ["PLAIN", "LOGIN", "XOAUTH2"] if not prefix else ["PLAIN", "XOAUTH2"]
        if line.client_certificate:
            found.append("EXTERNAL")
        return " ".join(prefix + name for name in found)

    def opened(self, mechanism: str, shown: bytes, certificate: bytes | None) -> str:
        """The address of the box that this opens; empty when it opens none."""
        text = shown.decode("utf-8", "replace")
        match mechanism.upper():
            case "PLAIN" | "LOGIN":
                _, user, password = [*text.split("\0"), "", "", ""][:3]
                box = self.post.box(user)
                return user.lower() if box and box.password and box.password == password else ""
            case "XOAUTH2":
                told = dict(part.partition("=")[::2] for part in text.split("\x01") if part)
                user, token = told.get("user", ""), told.get("auth", "").removeprefix("Bearer ")
                return user.lower() if self.post.token_opens(token, user) else ""
            case "EXTERNAL":
                return text.lower() if self._is_theirs(text, certificate) else ""
        return ""

    def tls(self) -> ssl.SSLContext:
        """For one line: a certificate, and a look at the client's."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _load(made, self.wallet.shown(self.faults.paper))
        made.load_verify_locations(cadata=self.wallet.authority.anchors)
        made.verify_mode = ssl.CERT_OPTIONAL
        if self.faults.weak_ciphers:
            made.maximum_version = ssl.TLSVersion.TLSv1_2
            made.set_ciphers("ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
        return made

    def _is_theirs(self, address: str, certificate: bytes | None) -> bool:
        """An organisation's certificate opens boxes that no person holds."""
        box = self.post.box(address)
        if certificate is None or box is None or box.kind not in (Kind.ORG, Kind.APP):
            return False
        return not self.wallet.authority.has_revoked(x509.load_der_x509_certificate(certificate).serial_number)


def _load(context: ssl.SSLContext, issued: Issued) -> None:
    with tempfile.NamedTemporaryFile("w", encoding="ascii") as file:
        file.write(issued.key + issued.certificate)
        file.flush()
        context.load_cert_chain(file.name)

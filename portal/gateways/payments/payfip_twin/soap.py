"""PayFiP's side of the SOAP conversation: reads a call, writes an answer or a fault in its shape and order."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from xml.sax.saxutils import escape

from portal.gateways.payments.payfip_twin.orders import Fault

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = (
    "http://securite.service.tpa.cp.finances.gouv.fr"
    "/services/mas_securite/contrat_paiement_securise/PaiementSecuriseService"
)
EXCEPTIONS = "fr.gouv.finances.cp.tpa.webservice.exceptions"
FUNCTIONAL = "FonctionnelleErreur"
# xs:sequence of each call: the real service refuses fields out of order.
ORDER = {
    "creerPaiementSecurise": (
        "exer", "mel", "montant", "numcli", "objet", "refdet", "saisie", "urlnotif", "urlredirect",
    ),
    "recupererDetailPaiementSecurise": ("idOp",),
    "recupererDetailClient": ("numCli",),
}  # fmt: skip


class NotACall(Exception):
    """The request is not one the service's schema allows."""


def read_call(body: bytes) -> tuple[str, dict[str, str]]:
    """The operation asked for and its fields. Raises `NotACall`."""
    if b"<!DOCTYPE" in body:
        raise NotACall("DOCTYPE")
    try:
        call = ET.fromstring(body).find(f"{{{SOAP}}}Body/*")  # noqa: S314 - no DOCTYPE, and only on the loopback
    except ET.ParseError:
        raise NotACall("XML") from None
    if call is None or not call.tag.startswith(f"{{{SERVICE}}}"):
        raise NotACall("operation")
    operation = call.tag.removeprefix(f"{{{SERVICE}}}")
    fields = {child.tag: child.text or "" for child in call.findall("arg0/*")}
    if operation not in ORDER or list(fields) != [name for name in ORDER[operation] if name in fields]:
        raise NotACall("sequence")
    return operation, fields


def answer(operation: str, fields: Mapping[str, str]) -> str:
    returned = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return _envelope(
        f'<ns2:{operation}Response xmlns:ns2="{SERVICE}"><return>{returned}</return></ns2:{operation}Response>'
    )


def functional_fault(fault: Fault) -> str:
    return _fault(FUNCTIONAL, fault.code, fault.label, 2)


def technical_fault(kind: str) -> str:
    return _fault(kind, "", "Erreur technique", 3)


def _fault(kind: str, code: str, label: str, severity: int) -> str:
    return _envelope(
        f"<S:Fault><faultcode>S:Server</faultcode><faultstring>{EXCEPTIONS}.{kind}</faultstring><detail>"
        f'<ns2:{kind} xmlns:ns2="{SERVICE}"><code>{escape(code)}</code><descriptif/><libelle>{escape(label)}</libelle>'
        f"<severite>{severity}</severite></ns2:{kind}></detail></S:Fault>"
    )


def _envelope(content: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><S:Envelope xmlns:S="{SOAP}"><S:Body>{content}</S:Body></S:Envelope>'

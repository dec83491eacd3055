"""SOAP 1.1 as PayFiP speaks it: document/literal, unqualified children, three flat calls. No WSDL at run time."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from xml.sax.saxutils import escape

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = (
    "http://securite.service.tpa.cp.finances.gouv.fr"
    "/services/mas_securite/contrat_paiement_securise/PaiementSecuriseService"
)
FUNCTIONAL = "FonctionnelleErreur"


class Unreadable(Exception):
    """The bytes are not an answer to what was asked: not XML, not SOAP, cut, ambiguous or dangerous."""


class FunctionalFault(Exception):
    """PayFiP understood and refused; `code` is one of its annex 1."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class TechnicalFault(Exception):
    """PayFiP answered that it could not work (TechDysfonctionnementErreur, TechIndisponibiliteErreur, …)."""


class _NoDoctype(ET.TreeBuilder):
    """Refuses a DOCTYPE where it starts, hence any entity: SOAP 1.1 section 3 forbids one anyway."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise Unreadable("a DOCTYPE")


def envelope(operation: str, fields: Mapping[str, str]) -> bytes:
    """The request for one call. PayFiP's schema is a sequence: fields keep the order they are given in."""
    children = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:pai="{SERVICE}"><soapenv:Body>'
        f"<pai:{operation}><arg0>{children}</arg0></pai:{operation}>"
        "</soapenv:Body></soapenv:Envelope>"
    ).encode()


def read_answer(operation: str, body: bytes) -> dict[str, str]:
    """The fields of a successful answer. Raises `FunctionalFault`, `TechnicalFault` or `Unreadable`, nothing else."""
    content = _only_child_of_body(parse(body))
    if content.tag == f"{{{SOAP}}}Fault":
        raise _fault(content)
    if content.tag != f"{{{SERVICE}}}{operation}Response":
        raise Unreadable("an answer to another call")
    returned = content.findall("{*}return")
    if len(returned) != 1:
        raise Unreadable("no answer inside the answer")
    return _flat(returned[0])


def parse(body: bytes) -> ET.Element:
    """Any XML without a DOCTYPE. Raises `Unreadable`."""
    parser = ET.XMLParser(target=_NoDoctype())  # noqa: S314 - without a DOCTYPE there is no entity to abuse
    try:
        parser.feed(body)
        root: ET.Element = parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:  # LookupError: an encoding nobody knows
        raise Unreadable("not XML") from error
    return root


def _only_child_of_body(root: ET.Element) -> ET.Element:
    bodies = root.findall(f"{{{SOAP}}}Body") if root.tag == f"{{{SOAP}}}Envelope" else []
    if len(bodies) != 1 or len(bodies[0]) != 1:
        raise Unreadable("not a SOAP 1.1 answer")
    return bodies[0][0]


def _flat(element: ET.Element) -> dict[str, str]:
    """Children as text. The same name twice is refused: one of two amounts would have to be guessed."""
    fields: dict[str, str] = {}
    for child in element:
        name = local_name(child)
        if name in fields or len(child):
            raise Unreadable("an ambiguous answer")
        fields[name] = (child.text or "").strip()
    return fields


def _fault(fault: ET.Element) -> Exception:
    """Functional only with a code: anything else leaves the outcome open, as a technical fault does."""
    details = fault.findall("{*}detail/*")
    if len(details) == 1 and local_name(details[0]) == FUNCTIONAL:
        code = (details[0].findtext("{*}code") or "").strip()
        if code.isalnum() and code.isascii() and len(code) <= 10:
            return FunctionalFault(code)
    return TechnicalFault("a technical fault")


def local_name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]

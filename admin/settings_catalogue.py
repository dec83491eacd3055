"""Every setting of a hospital, declared once: what it is called, what it does, what may stand in it, where it is
chosen.

Rooms own the keys and obey the values; words and pages are the staff's side. A key that is not here is shown with its
history all the same, and a test reads the code for keys that nobody declared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from flask_babel import lazy_gettext as _l

from admin import printed_lists
from admin.forms_assurance import SERVICE_TITLES
from auth import assurance
from auth.agents import dormancy
from auth.guests import actions as guests
from auth.oversight import campaigns
from portal import retention
from portal.gateways import mssante
from services.attendance import estimates
from services.attendance import queries as attendance
from services.billing.refunds import queries as refunds
from services.billing.sources import settings as stripe
from services.documents import jobs as document_jobs
from services.documents.actions import intake
from services.documents.exchanges import jobs as exchange_jobs
from services.documents.his import states as his_documents
from services.documents.mailboxes import composing, operators
from services.documents.reading import viewer
from services.documents.requests import settings as requests
from services.documents.shelf.mes import queries as mes
from services.exchanges import dialect
from services.preadmission import pages as admissions
from services.preadmission.api import encounters
from services.preadmission.exchanges import states as his_stays
from services.preadmission.maternity import routes_patient as maternity
from services.preadmission.office.wording import CONFIDENTIAL_WAYS
from services.preadmission.queries import CONFIDENTIAL
from services.preadmission.queries import files as stays
from services.satisfaction import choices as satisfaction

GROUPS: Final[Mapping[str, Any]] = {
    "people": _l("Who may come in"),
    "reception": _l("Emergencies"),
    "stays": _l("Pre-admission"),
    "bills": _l("Bills"),
    "documents": _l("Documents and requests"),
    "systems": _l("The hospital’s systems"),
    "keeping": _l("How long things are kept"),
    "other": _l("Others"),
}
YES_NO: Final[Mapping[str, Any]] = {"yes": _l("Yes"), "no": _l("No")}


@dataclass(frozen=True)
class Setting:
    """key: as the rooms ask for it. default: what applies as long as the hospital chose nothing, in words when it is
    no value. choices: value → words; none for a text. least, most: of a number. kind: text, email, https, number,
    reason or choice. page: the endpoint of the page that chooses it together with what goes with it; it is not changed
    elsewhere. secret: never shown, nor kept in its history."""

    key: str
    title: Any
    help: Any
    group: str
    default: Any = ""
    kind: str = "text"
    choices: Mapping[str, Any] = field(default_factory=dict)
    least: int = 0
    most: int = 0
    page: str = ""
    secret: bool = False

    def words(self, value: str | None) -> Any:
        """A value as people read it."""
        if value is None or value == "":
            return ""
        return self.choices.get(value, value)


def every() -> Mapping[str, Setting]:
    """By key, in the order of the page."""
    parts = (_people(), _reception(), _stays(), _bills(), _documents(), _systems(), _keeping())
    return {each.key: each for part in parts for each in part}


def find(key: str, *, is_set: bool = False) -> Setting | None:
    """The declaration of a key. is_set: one that a command set and nobody declared is described by its name."""
    declared = every().get(key)
    if declared is None and is_set:
        return Setting(key, key, _l("Set from the command line; no page of the portal says what it does."), "other")
    return declared


def _people() -> Sequence[Setting]:
    levels = {
        "two_factors": _l("Two factors (FranceConnect with a second proof)"),
        "substantial": _l("Substantial (FranceConnect+)"),
    }
    minimums = [
        Setting(
            f"{assurance.KEY}{service}", _l("Sign-in asked for: %(service)s", service=SERVICE_TITLES[service]),
            _l("How well somebody must be identified before they see it"), "people",
            levels[assurance.DEFAULT], "choice", levels, page="admin_assurance.show",
        )
        for service in assurance.SERVICES
    ]  # fmt: skip
    page = "admin_assurance.show"
    return [
        *minimums,
        Setting(assurance.MAIL_CODES, _l("Codes sent by mail"),
                _l("Why codes may be sent by mail as a second factor; nothing forbids them"), "people", page=page),
        Setting(assurance.LOCAL_ACCOUNTS, _l("Accounts without FranceConnect"),
                _l("Patients for whom the desk opened an account sign in with a passkey or two proofs"), "people",
                YES_NO["no"], "choice", YES_NO, page=page),
        Setting(guests.SETTING, _l("Guests invited by link"),
                _l("People without FranceConnect may be invited, for one matter, by a link and a code"), "people",
                YES_NO["no"], "choice", YES_NO),
        Setting(dormancy.SETTING, _l("Agents who no longer come"),
                _l("After so many days without a sign-in, their rights are withdrawn; 0: never"), "people",
                str(dormancy.CLOSED_AFTER_DAYS), "number", least=0, most=730),
        Setting(campaigns.SETTING, _l("Reviews of rights"),
                _l("How many days after the last one a review of the agents’ rights begins; 0: only by hand"), "people",
                str(campaigns.EVERY_DAYS), "number", least=0, most=730),
    ]  # fmt: skip


def _reception() -> Sequence[Setting]:
    return [
        Setting(attendance.SETTING, _l("Minutes during which a waiting time is shown"),
                _l("After it was measured; then the page says that none is available"), "reception",
                str(estimates.USUAL_LIFE_MIN), "number", least=estimates.LEAST_LIFE_MIN, most=estimates.MOST_LIFE_MIN),
    ]  # fmt: skip


def _stays() -> Sequence[Setting]:
    return [
        Setting(admissions.HOURS, _l("Hours of the admissions office"),
                _l("As people read them, such as: Monday to Friday, 8 am to 6 pm"), "stays"),
        Setting(stays.OPTIONS, _l("Asked besides"), _l("What pre-admission asks of everybody besides the usual papers"),
                "stays", _l("Nothing"), "choice", {"address_proof": _l("A proof of address")}),
        Setting(CONFIDENTIAL, _l("Confidential stays"),
                _l("How stays of people whom nobody must know to be there are handled"), "stays",
                next(iter(CONFIDENTIAL_WAYS.values())), "choice", CONFIDENTIAL_WAYS,
                page="admin_preadmission_office.overview"),
        Setting(maternity.UNNAMED_PHONE, _l("Telephone for births without a name"),
                _l("Whom to ring to give birth without giving one’s name"), "stays",
                _l("The switchboard"), "phone"),
        Setting(maternity.BOOKING, _l("Reason of the midwife’s first appointment"),
                _l("Identifier of the reason that the maternity page leads to"), "stays", kind="uuid"),
    ]  # fmt: skip


def _bills() -> Sequence[Setting]:
    page = "admin_stripe.hospitals"
    return [
        Setting("payfip_numcli", _l("PayFiP client number"),
                _l("Six digits given by the DGFiP: the counter of bills whose source nobody described"), "bills"),
        Setting("payfip_saisie", _l("PayFiP mode"), _l("Of that counter"), "bills", "", "choice",
                {"T": _l("Tests"), "X": _l("Activation"), "W": _l("Production")}),
        Setting(refunds.THRESHOLD, _l("Refunds that two people decide"),
                _l("In cents: from this amount, an agent other than the one who asked must approve; 0: always"),
                "bills", "10000", "number", least=0, most=100_000_000),
        Setting(stripe.ENABLED, _l("Payment by Stripe"), _l("For what is no public debt"), "bills", YES_NO["no"],
                "choice", YES_NO, page=page),
        Setting(stripe.ACCOUNTANT, _l("Accountant who agreed to Stripe"), _l("By name"), "bills", page=page),
        Setting(stripe.AGREED_ON, _l("Day of that agreement"), _l("As written on it"), "bills", page=page),
        Setting(stripe.KEY, _l("Stripe key"), _l("Of the hospital’s own account"), "bills", page=page, secret=True),
        Setting(stripe.SECRETS, _l("Stripe webhook secrets"), _l("What proves that news come from Stripe"), "bills",
                page=page, secret=True),
    ]  # fmt: skip


def _documents() -> Sequence[Setting]:
    page = "admin_record_settings.overview"
    return [
        Setting(document_jobs.DATA_PROTECTION, _l("Data protection officer"),
                _l("Their e-mail address: told when a document went to the wrong person"), "documents",
                _l("The public address of the hospital"), "email"),
        Setting(intake.AUTO_FILE, _l("Letters filed by themselves"),
                _l("When identity leaves no doubt; otherwise every letter waits in the tray"), "documents",
                YES_NO["yes"], "choice", YES_NO),
        Setting(exchange_jobs.MAILBOX_SETTING, _l("Mailbox told of messages"),
                _l("E-mail address told that a practitioner wrote, when the unit has none"), "documents", kind="email"),
        Setting(viewer.SETTING, _l("Viewer of images"),
                _l("An https address with {accession}, {study} or both: reports lead there"), "documents",
                kind="https"),
        Setting(mes.SETTING, _l("Mon espace santé"), _l("Letters are sent to the citizens’ secure messaging"),
                "documents", YES_NO["no"], "choice", {"on": YES_NO["yes"], "off": YES_NO["no"]},
                page="admin_shelf.types"),
        Setting(satisfaction.ASKED, _l("Ask people what they think"),
                _l("One question after each service, at most one a person in thirty days"), "documents",
                YES_NO["yes"], "choice", YES_NO),
        Setting(satisfaction.SCREENING_DAYS, _l("Days to screen a comment"),
                _l("By when an agent reads a comment about a service, before anybody else does"), "documents",
                str(satisfaction.DEFAULT_DAYS), "number", least=1, most=satisfaction.LONGEST_DAYS),
        *(
            Setting(f"{requests.PREFIX}{key}", REQUEST_TITLES[key],
                    _l("Of requests for a file, a certificate or an answer"), "documents", page=page)
            for key in requests.KEYS
        ),
    ]  # fmt: skip


REQUEST_TITLES: Final[Mapping[str, Any]] = {
    "closed": _l("Requests that are closed"),
    "contact": _l("How to reach the office of requests"),
    "mailbox": _l("Mailbox of the office of requests"),
    "certificate_days": _l("Days to answer a request for a certificate"),
    "complaint_days": _l("Days to answer a complaint"),
    "identity": _l("Sign-in that spares an identity document"),
    "copy_cost": _l("What copies cost"),
    "signer": _l("Who signs certificates"),
}


def _systems() -> Sequence[Setting]:
    formats = {"none": _l("Nothing is sent"), "hl7": "HL7 v2", "csv": _l("Files in a folder")}
    boxes, exchanges = "admin_mailboxes.boxes", "admin_subscriptions.settings"
    papers = (_l("Authorities it trusts"), _l("Certificate"), _l("Private key"), _l("Revoked certificates"))
    return [
        Setting(dialect.ADDRESS, _l("Address of the hospital’s system"), _l("Where appointments and stays are told"),
                "systems", _l("None"), page=exchanges, secret=True),
        Setting(printed_lists.PASSWORD, _l("Password of the lists of the day"),
                _l("Opens the lists kept for a day without the portal: it is on paper, in the unit’s sealed envelope"),
                "systems", _l("None: no list is written"), secret=True),
        Setting(dialect.SETTING, _l("Codes of the hospital’s system"), _l("How it names units, sites, reasons, people"),
                "systems", page=exchanges),
        Setting(his_stays.FORMAT, _l("How stays are told"), _l("To the hospital’s system"), "systems",
                formats[his_stays.NONE], "choice", {code: formats[code] for code in his_stays.FORMATS}),
        Setting(his_documents.FORMAT, _l("How documents are told"), _l("To the hospital’s system"), "systems",
                formats[his_documents.NONE], "choice", {code: formats[code] for code in his_documents.FORMATS}),
        Setting(encounters.IPP_SYSTEM, _l("System of patient numbers"), _l("In FHIR: a URI, such as urn:oid:1.2.250…"),
                "systems", _l("An address of this portal"), "uri"),
        Setting(encounters.VISIT_SYSTEM, _l("System of visit numbers"), _l("In FHIR: a URI, such as urn:oid:1.2.250…"),
                "systems", _l("An address of this portal"), "uri"),
        Setting(operators.ADDRESS, _l("MSSanté operator"), _l("Of the boxes that name no other"), "systems", page=boxes,
                secret=True),
        *(Setting(key, _l("MSSanté: %(paper)s", paper=title), _l("Known to its operator"), "systems", page=boxes,
                  secret=key == mssante.SETTINGS[3])
          for key, title in zip(mssante.SETTINGS[1:], papers, strict=True)),
        Setting(operators.PRODUCT, _l("MSSanté: reference of the product"), _l("In the list of the ANS (X-MSS-NIL)"),
                "systems", operators.USUAL_PRODUCT),
        Setting(operators.ERROR_RECEIPTS, _l("MSSanté: who is told that a letter was not filed"),
                _l("By a receipt to whoever sent it"), "systems", _l("Nobody"), "choice",
                {"no": _l("Nobody"), "refused": _l("Those whose parcel is in quarantine"),
                 "all": _l("Those too whose letter waits in the tray")}, page=boxes),
        Setting(composing.TYPE_CODE, _l("MSSanté: type of a letter that says none"),
                _l("Code of the national list of document types"), "systems", composing.USUAL_TYPE, "loinc"),
    ]  # fmt: skip


def _keeping() -> Sequence[Setting]:
    return [
        Setting(rule.setting, rule.title, rule.why, "keeping", _l("%(days)s days", days=rule.days), "number",
                least=rule.least, most=rule.most, page="admin_retention.overview")
        for rule in retention.rules()
    ]  # fmt: skip

"""What this package itself holds about a person, for the copy of their data."""

from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from auth.account import access_log, export
from auth.account.access_log import Search
from auth.account.export import Entry, Fact, Part
from auth.account.models import Consent, DataRequest, KnownDevice
from auth.account.wording import REQUEST_KINDS, REQUEST_STATES, what_words, who_words
from auth.models import Account, Patient, PatientAccess, PatientRecord, WebSession
from auth.wording import browser_words
from portal.db import session
from portal.establishments import Establishment


def contribute() -> None:
    """Put these parts into the copy, in this order."""
    for code, contribution in (
        ("identity", _identity),
        ("hospitals", _hospitals),
        ("account", _account),
        ("mandates", _mandates),
        ("consents", _consents),
        ("data_requests", _requests),
        ("access_log", _access_log),
    ):
        export.contribute(code, contribution)


def _identity(patient_id: UUID) -> Part:
    person = session.get_one(Patient, patient_id)
    facts = [
        Fact("birth_name", _l("Birth name"), person.birth_name),
        Fact("used_name", _l("Name used"), person.used_name),
        Fact("first_names", _l("First names"), list(person.first_names)),
        Fact("sex", _l("Sex"), person.sex),
        Fact("birth_on", _l("Date of birth"), person.birth_on),
        Fact("birthplace_insee", _l("Place of birth (INSEE code)"), person.birthplace_insee),
        Fact("birthcountry_insee", _l("Country of birth (INSEE code)"), person.birthcountry_insee),
        Fact("identity_status", _l("State of the identity"), person.identity_status),
        Fact("ins", _l("National health identity (INS)"), person.ins if person.identity_status == "QUAL" else None),
        Fact("email", _l("E-mail"), person.email),
        Fact("mobile", _l("Mobile phone"), person.mobile),
        Fact("created_at", _l("Known since"), person.created_at),
    ]
    return Part("identity", _l("Who I am"), [Entry(person.full_name, facts)])


def _hospitals(patient_id: UUID) -> Part:
    rows = session.execute(
        select(PatientRecord, Establishment.name)
        .join(Establishment, Establishment.id == PatientRecord.establishment_id)
        .where(PatientRecord.patient_id == patient_id)
        .order_by(Establishment.name)
    )
    entries = [
        Entry(
            name,
            [
                Fact("hospital", _l("Hospital"), name),
                Fact("ipp", _l("My number there"), record.ipp),
                Fact("created_at", _l("Known since"), record.created_at),
            ],
        )
        for record, name in rows
    ]
    return Part("hospitals", _l("My hospitals"), entries)


def _account(patient_id: UUID) -> Part:
    entries = [
        Entry(
            account.name,
            [
                Fact("name", _l("Name"), account.name),
                Fact("email", _l("E-mail"), account.email),
                Fact("language", _l("Language"), account.locale),
                Fact("created_at", _l("Opened on"), account.created_at),
            ],
        )
        for account in session.scalars(select(Account).where(Account.id.in_(_accounts(patient_id))))
    ]
    return Part("account", _l("My account"), [*entries, *_sessions(patient_id), *_devices(patient_id)])


def _sessions(patient_id: UUID) -> list[Entry]:
    rows = session.scalars(
        select(WebSession).where(WebSession.account_id.in_(_accounts(patient_id))).order_by(WebSession.created_at)
    )
    return [
        Entry(
            _("Session: %(browser)s", browser=browser_words(each.browser)),
            [
                Fact("session_began_at", _l("Began"), each.created_at),
                Fact("last_seen_at", _l("Last seen"), each.last_seen_at),
                Fact("ended_at", _l("Ended"), each.ended_at),
                Fact("provider", _l("Signed in with"), each.provider),
                Fact("browser", _l("Browser"), each.browser),
            ],
        )
        for each in rows
    ]


def _devices(patient_id: UUID) -> list[Entry]:
    rows = session.scalars(select(KnownDevice).where(KnownDevice.account_id.in_(_accounts(patient_id))))
    return [
        Entry(
            _("Known device: %(browser)s", browser=browser_words(each.browser)),
            [
                Fact("device_first_seen_at", _l("First seen"), each.first_seen_at),
                Fact("device_last_seen_at", _l("Last seen"), each.last_seen_at),
                Fact("browser", _l("Browser"), each.browser),
            ],
        )
        for each in rows
    ]


def _mandates(patient_id: UUID) -> Part:
    """Who may act for the person. Those for whom the person acts have data of their own, which is not here."""
    rows = session.execute(
        select(PatientAccess, Account.name)
        .join(Account, Account.id == PatientAccess.account_id)
        .where(PatientAccess.patient_id == patient_id, PatientAccess.relation != "self")
        .order_by(PatientAccess.created_at)
    )
    entries = [
        Entry(
            name,
            [
                Fact("name", _l("Who may act for me"), name),
                Fact("relation", _l("As"), access.relation),
                Fact("scopes", _l("In these matters"), list(access.scopes)),
                Fact("starts_on", _l("From"), access.starts_on),
                Fact("ends_on", _l("Until"), access.ends_on),
                Fact("revoked_at", _l("Ended"), access.revoked_at),
            ],
        )
        for access, name in rows
    ]
    return Part("mandates", _l("Who may act for me"), entries)


def _consents(patient_id: UUID) -> Part:
    about_me = (Consent.patient_id == patient_id) | Consent.account_id.in_(_accounts(patient_id))
    entries = [
        Entry(
            f"{each.kind} {each.version}",
            [
                Fact("kind", _l("Text"), each.kind),
                Fact("version", _l("Version"), each.version),
                Fact("given_at", _l("Agreed on"), each.given_at),
                Fact("withdrawn_at", _l("Withdrawn on"), each.withdrawn_at),
                Fact("channel", _l("How"), each.channel),
            ],
        )
        for each in session.scalars(select(Consent).where(about_me).order_by(Consent.given_at))
    ]
    return Part("consents", _l("What I agreed to"), entries)


def _requests(patient_id: UUID) -> Part:
    rows = session.scalars(
        select(DataRequest)
        .options(joinedload(DataRequest.establishment))
        .where(DataRequest.patient_id == patient_id)
        .order_by(DataRequest.received_at)
    )
    entries = [
        Entry(
            each.number,
            [
                Fact("number", _l("Number"), each.number),
                Fact("hospital", _l("Hospital"), each.establishment.name),
                Fact("kind", _l("Request"), str(REQUEST_KINDS[each.kind])),
                Fact("what", _l("Which data"), each.what),
                Fact("why", _l("Why"), each.why),
                Fact("state", _l("State"), str(REQUEST_STATES[each.state][0])),
                Fact("received_at", _l("Received"), each.received_at),
                Fact("due_on", _l("Answer due by"), each.due_on),
                Fact("answer", _l("Answer"), each.answer),
            ],
        )
        for each in rows
    ]
    return Part("data_requests", _l("My requests about my data"), entries)


def _access_log(patient_id: UUID) -> Part:
    places = access_log.places()
    me = session.scalar(_accounts(patient_id))
    entries = [
        Entry(
            what_words(event),
            [
                Fact("at", _l("When"), event.at),
                Fact("who", _l("Who"), who_words(event, me, True, places)),
                Fact("what", _l("What"), what_words(event)),
            ],
        )
        for event in access_log.all_lines(Search(patient_id))
    ]
    return Part("access_log", _l("Who opened my file"), entries)


def _accounts(patient_id: UUID) -> Select[UUID]:
    """The person's own account, as a sub-query."""
    return select(PatientAccess.account_id).where(
        PatientAccess.patient_id == patient_id, PatientAccess.relation == "self"
    )

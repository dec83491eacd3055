"""Which real objects the parameters of an address name: a table for each, found in the demonstration.

A route with a parameter that nothing is said of here fails `tests/security/test_access.py`.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import Column, Table, select, text
from werkzeug.routing import Rule, UUIDConverter

from portal import db
from portal.db import Base

TABLES = {
    "absence_id": "absence", "access_id": "emergency_access", "account_id": "account",
    "action_id": "accessibility_action", "address_id": "digest_address", "announcement_id": "community_announcement",
    "answer_id": "bill_answer", "appointment_id": "appointment", "arrival_id": "document_arrival",
    "attempt_id": "payment_attempt", "batch_id": "treasury_batch", "bill_id": "bill", "call_id": "call_to_make",
    "callback_id": "callback", "category_id": "library_category", "certificate_id": "hospital_certificate",
    "chain_id": "appointment.chain_id", "change_id": "catalog_change", "community_id": "community",
    "companion_id": "companion", "consent_id": "consent", "contact_id": "offer_contact",
    "death_id": "death", "delegation_id": "delegation", "delivery_id": "his_message",
    "department_id": "emergency_department", "deposit_id": "deposit", "device_id": "known_device",
    "difference_id": "settlement_difference", "dispute_id": "dispute", "document_id": "document",
    "draft_id": "referral_draft", "duplicate_id": "possible_duplicate", "duty_id": "duty", "entry_id": "waiting_entry",
    "establishment_id": "establishment", "event_id": "stripe_event", "exchange_id": "exchange",
    "export_id": "data_export", "factor_id": "factor", "follower_id": "follower", "hold_id": "hold",
    "host_id": "link_host", "import_id": "bill_import", "incident_id": "security_incident", "kiosk_id": "kiosk",
    "line_id": "direct_line", "link_id": "service_link", "list_id": "correspondent_list", "location_id": "site",
    "machine_id": "machine", "mailbox_id": "mailbox", "mandate_id": "mandate", "member_id": "community_member",
    "message_id": "his_message", "notice_id": "site_notice", "offer_id": "referral_offer",
    "opinion_id": "opinion", "organization_id": "establishment", "owner_id": "site", "page_id": "piece_page",
    "pathway_id": "pathway", "patient_id": "patient_record.patient_id", "payout_id": "payout",
    "period_id": "school_holiday", "piece_id": "piece", "plan_id": "questionnaire_plan", "point_id": "contact_point",
    "pool_id": "resource_pool", "post_id": "community_post", "practitioner_id": "practitioner",
    "preadmission_id": "preadmission", "price_id": "room_price", "professional_id": "professional",
    "proposal_id": "circle_proposal", "question_id": "bill_question", "questionnaire_id": "questionnaire",
    "reason_id": "reason", "receipt_id": "payment_attempt", "received_id": "received_mail",
    "referral_id": "referral", "refund_id": "refund", "report_id": "accessibility_report",
    "request_id": "appointment_request", "resource_id": "resource", "review_id": "access_review",
    "sent_id": "sent_questionnaire", "service_id": "unit", "session_id": "support_session", "site_id": "site",
    "source_id": "bill_source", "target_id": "referral_target", "template_id": "session_template",
    "text_id": "reply_text", "theme_id": "community_theme", "topic_id": "community_topic",
    "transmission_id": "transmission", "turn_id": "opinion_turn", "unit_id": "unit", "view_id": "figure_view",
    "window_id": "maintenance_window", "wish_id": "maternity_wish",
}  # fmt: skip
"""parameter → the table whose `id` it is, or the column that holds it. What differs in a blueprint is below."""

ELSEWHERE = {
    "account member_id": "circle_member", "account session_id": "web_session",
    "account_data request_id": "data_request", "admin_access_reviews account_id": "access_review_line.account_id",
    "admin_accessibility report_id": "accessibility_report", "admin_data_requests request_id": "data_request",
    "admin_appointment_requests message_id": "request_message", "admin_bill_questions answer_id": "bill_answer",
    "admin_deposits page_id": "piece_page", "admin_exchanges file_id": "exchange_file",
    "admin_figure_reports report_id": "figure_report", "admin_figure_targets target_id": "kpi_target",
    "admin_guests invitation_id": "guest_invitation", "admin_guests object_id": "preadmission",
    "admin_hospitals member_id": "site", "admin_identities request_id": "enrolment_request",
    "admin_masking object_id": "appointment", "admin_offer report_id": "offer_report",
    "admin_offer change_id": "opening_exception", "admin_preadmission_office message_id": "preadmission_message",
    "admin_record_requests answer_id": "record_request_answer", "admin_record_requests file_id": "record_request_file",
    "admin_record_requests request_id": "record_request", "admin_referrals file_id": "referral_file",
    "admin_retention hold_id": "legal_hold", "admin_settlement file_id": "settlement_file",
    "admin_staff invitation_id": "staff_invitation", "admin_staff request_id": "right_request",
    "admin_staff role_id": "staff_role",
    "admin_stay_invitations invitation_id": "stay_invitation", "admin_unusual_accesses access_id": "unusual_access",
    "admin_user_requests answer_id": "record_request_answer", "admin_user_requests file_id": "record_request_file",
    "admin_user_requests request_id": "record_request", "admin_waiting offer_id": "waiting_offer",
    "circle member_id": "circle_member", "circle_documents member_id": "circle_member",
    "circle_patients member_id": "circle_member", "communities invitation_id": "community_invitation",
    "community_keeping document_id": "library_document", "community_library document_id": "library_document",
    "community_members invitation_id": "community_invitation", "documents file_id": "exchange_file",
    "fhir_preadmission_contents patient_id": "preadmission.patient_id", "fhir_referrals file_id": "referral_file",
    "fhir_referrals offer_id": "referral_offer", "masking object_id": "appointment",
    "my_messages file_id": "exchange_file", "admin_directory import_id": "directory_import",
    "record_requests file_id": "record_request_file", "record_requests request_id": "record_request",
    "referrals file_id": "referral_file", "requests message_id": "request_message",
    "waiting offer_id": "waiting_offer", "admin_waiting entry_id": "waiting_entry",
    "admin_exchanges absence_id": "agent_absence", "billing receipt_id": "receipt",
    "billing_guests receipt_id": "receipt", "admin_incidents incident_id": "security_incident",
}  # fmt: skip
"""`blueprint parameter` or `endpoint parameter` → table or column."""

WORDS: dict[str, object] = {
    "version": "1", "admin_agendas.forget_day day": "2026-01-05", "admin_settlement day": "2026-01-05",
    "admin_settlement psp": "payfip", "admin_settlement account": "090909", "admin_totals month": "2026-10",
    "admin_catalogue code": "appointments", "pages code": "appointments", "admin_figures code": "E1",
    "admin_figure_targets code": "E1", "admin_figure_services code": "appointments",
    "admin_figure_units code": "appointments",
    "admin_masking code": "appointment", "masking code": "appointment", "admin_hospitals key": "payfip_saisie",
    "admin_retention code": "community_event", "language": "es", "preadmission slug": "identite",
    "record_requests slug": "demandeur", "record_requests.begin slug": "dossier", "record_requests use": "identity",
    "admin_connectors name": "mail", "admin_support.screen path": "mon-compte", "type_code": "lettre",
    "admin_message_texts code": "nothing", "admin_questionnaires link_id": "1", "word": "sites",
    "identity": "10000000017", "structure": "990000017", "slug": "nothing", "key": "nothing", "token": "x" * 43,
    "name": "nothing", "digest": "nothing", "slot_id": "nothing", "schedule_id": "nothing", "role_id": "nothing",
}  # fmt: skip
"""`endpoint parameter`, `blueprint parameter` or parameter → a value that is no object."""


KEPT_IN = {("piece", "preadmission_id"): "folder_id", ("piece", "deposit_id"): "folder_id"}
"""(table, parameter) → its column for it, where the names differ."""
SOME = 3
_OWNERS = ("patient_id", "establishment_id", "account_id", "professional_id", "sent_patient_id")


class Unknown(Exception):
    """Nothing is said of a parameter."""


def source(endpoint: str, parameter: str) -> Column[Any]:
    """The column whose values the parameter names. Raises Unknown."""
    blueprint = endpoint.rpartition(".")[0]
    for key in (f"{endpoint} {parameter}", f"{blueprint} {parameter}"):
        if key in ELSEWHERE:
            return _column(ELSEWHERE[key])
    if parameter not in TABLES:
        raise Unknown(f"{endpoint} {parameter}")
    return _column(TABLES[parameter])


def _column(told: str) -> Column[Any]:
    table, _dot, column = told.partition(".")
    return Base.metadata.tables[table].c[column or "id"]


def objects_of(rule: Rule) -> list[str]:
    """The parameters of a route that name objects, in the order of the address."""
    order = [name for is_variable, name in rule._trace if is_variable]
    return [name for name in order if isinstance(rule._converters[name], UUIDConverter)]


def word(rule: Rule, name: str) -> object:
    """A value for a parameter that names no object of somebody. Raises Unknown."""
    if name == "job_id":  # numbers of jobs go on from one test to the next
        return db.session.scalar(text("select max(id) from procrastinate_jobs")) or 1
    for key in (f"{rule.endpoint} {name}", f"{rule.endpoint.rpartition('.')[0]} {name}", name):
        if key in WORDS:
            return WORDS[key]
    converter: Any = rule._converters[name]
    if hasattr(converter, "items"):
        return min(converter.items)
    if type(converter).__name__ == "IntegerConverter":
        return 1
    raise Unknown(f"{rule.endpoint} {name}")


@cache
def _rows(table: Table) -> list[dict[str, Any]]:
    return [dict(row) for row in db.session.execute(select(table).limit(400)).mappings()]


def forget() -> None:
    _rows.cache_clear()
    _by_key.cache_clear()


@cache
def _by_key(column: Column[Any]) -> dict[Any, dict[str, Any]]:
    return {row[column.name]: row for row in _rows(column.table)}


def samples(rule: Rule) -> list["Sample"]:
    """Values for the parameters of a route, whose objects belong together. Inside a system transaction."""
    names = objects_of(rule)
    words = {name: word(rule, name) for name in rule._converters if name not in names and name != "finess"}
    hospitals = _rows(Base.metadata.tables["establishment"])
    if not names:
        if "finess" not in rule._converters:
            return [Sample(words, frozenset())]
        return [Sample(words | {"finess": each["finess"]}, frozenset({each["id"]})) for each in hospitals]
    *parents, last = names
    column = source(rule.endpoint, last)
    return [
        Sample(words | values | _hospital(rule, owners, hospitals), owners)
        for row in _rows(column.table)
        for owners in [owners_of(row, column.table)]
        for values in _values(rule, row, column, parents)
    ]


def _values(
    rule: Rule, row: Mapping[str, Any], column: Column[Any], parents: Sequence[str]
) -> Iterator[dict[str, object]]:
    """The parameters of an address for this row, with each of a few of what it may be inside of."""
    last = objects_of(rule)[-1]
    above = [_parents(row, column.table, source(rule.endpoint, parent), parent) for parent in parents]
    if row[column.name] is not None:
        for chosen in product(*above):
            yield {last: row[column.name], **dict(zip(parents, chosen, strict=True))}


def _hospital(rule: Rule, owners: Set[UUID], hospitals: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    if "finess" not in rule._converters:
        return {}
    return {"finess": next((each["finess"] for each in hospitals if each["id"] in owners), hospitals[0]["finess"])}


@dataclass(frozen=True)
class Sample:
    """values: of a route's parameters. owners: identifiers of the patients, hospitals, accounts it belongs to."""

    values: Mapping[str, object]
    owners: frozenset[UUID]


def owners_of(row: Mapping[str, Any], table: Table, steps: int = 2) -> frozenset[UUID]:
    """Whose it is, by its own columns and those of what it points at."""
    found = {row[name] for name in _OWNERS if row.get(name) is not None}
    if table.name in ("patient", "account", "establishment", "professional"):
        found.add(row["id"])
    if steps:
        for own, far in _links(table):
            if own not in _OWNERS and (beyond := _by_key(far).get(row[own])) is not None:
                found |= owners_of(beyond, far.table, steps - 1)
    for record in _rows(Base.metadata.tables["patient_record"]):
        if record["patient_id"] in found:
            found.add(record["establishment_id"])
    return frozenset(found)


def _parents(row: Mapping[str, Any], table: Table, wanted: Column[Any], name: str) -> list[UUID]:
    """What it is inside of, or the first few that have the same owner."""
    above = reached(row, table, wanted, name)
    if above is not None:
        return [above]
    for shared in ("patient_id", "establishment_id"):
        if row.get(shared) is not None:
            same = [each[wanted.name] for each in _rows(wanted.table) if each.get(shared) == row[shared]]
            if same:
                return same[:SOME]
    return []


def _links(table: Table) -> list[tuple[str, Column[Any]]]:
    return [(fk.parent.name, fk.column) for fk in sorted(table.foreign_keys, key=lambda each: each.parent.name)
            if fk.column.name != "establishment_id" and fk.parent.name != "establishment_id"]  # fmt: skip


def reached(row: Mapping[str, Any], table: Table, wanted: Column[Any], name: str, steps: int = 3) -> UUID | None:
    """The object of `wanted` that this row belongs to: its own column, or by the tables that it points at."""
    if table is wanted.table:
        return row[wanted.name]  # type: ignore[no-any-return]  # a key
    own_name = KEPT_IN.get((table.name, name), name)
    if row.get(own_name) is not None and row[own_name] in _by_key(wanted):
        return row[own_name]  # type: ignore[no-any-return]  # a key
    links = _links(table)
    for own, far in links:
        if far.table is wanted.table and far.name == wanted.name and row[own] is not None:
            return row[own]  # type: ignore[no-any-return]  # a key
    if steps:
        for own, far in links:
            beyond = _by_key(far).get(row[own])
            if beyond is not None and (above := reached(beyond, far.table, wanted, name, steps - 1)) is not None:
                return above
    return None


def unknown(app: Flask) -> list[str]:
    """`endpoint parameter` of which nothing is said. Inside a system transaction."""
    found = set()
    for rule in app.url_map.iter_rules():
        for name in rule._converters:
            try:
                if name in objects_of(rule):
                    source(rule.endpoint, name)
                elif name != "finess":
                    word(rule, name)
            except (Unknown, KeyError) as missing:
                found.add(str(missing))
    return sorted(found)

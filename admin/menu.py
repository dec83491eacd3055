"""The staff's menu: its entries, in the order in which they are offered."""

from functools import partial

from flask_babel import lazy_gettext as _l

from admin import front_desk
from portal import catalog
from portal.catalog import Card, Group
from services import appointments, attendance, lines, preadmission, questionnaires

FIGURES = Group(_l("Figures"), "chart-column")
IDENTITIES = Group(_l("Identities"), "id-card")
OVERSIGHT = Group(_l("Oversight"), "history")
ADMINISTRATION = Group(_l("Administration"), "settings")
RECORD_REQUESTS = Card(
    "record-requests",
    _l("Requests of patients"),
    "",
    "file-check",
    "admin_record_requests.tray",
    "staff",
    _l("Requests of patients"),
    "admin_record_requests.tray",
    "documents",
)

REFERRALS = Card(
    "referral-tray",
    _l("Referrals"),
    "",
    "stethoscope",
    "admin_referrals.tray",
    "staff",
    _l("Referrals"),
    "admin_referrals.tray",
    "referrals",
)


def offer() -> None:
    """Add the entries of all the staff's screens."""
    _offer_figures()
    _offer_lines()
    _offer_attendance()
    _offer_appointments()
    _offer_preadmission()
    _offer_questionnaires()
    catalog.offer(RECORD_REQUESTS)
    catalog.offer(REFERRALS)
    _offer_identities()
    support = _l("User support")
    _offer(Group(support, "eye"), "support", "support", support, "eye", "admin_support.find_patient")
    _offer_oversight()
    front_desk.offer()
    _offer_hospitals()
    _offer_administration()
    _offer_deadlines()
    _offer_opinions()


def _offer_figures() -> None:
    offer = partial(_offer, FIGURES, "administration")
    offer("comparison", _l("Comparison of hospitals"), "building-2", "admin_figure_comparison.show")
    offer("totals", _l("Totals of the hospital"), "file-check", "admin_totals.overview")
    offer("figure-views", _l("Saved views"), "list", "admin_figure_views.views")
    offer("figure-exports", _l("Figures to take away"), "download", "admin_figure_exports.choose")
    offer("figure-reports", _l("Reports of each month"), "mail", "admin_figure_reports.reports")


def _offer_lines() -> None:
    _offer(lines.STAFF_MENU, lines.RIGHT, "callbacks", _l("Calls back"), "phone", "admin_callbacks.tray")
    offer = partial(_offer, lines.STAFF_MENU, "administration")
    offer("direct-lines", _l("Direct lines"), "phone", "admin_lines.overview")
    offer("duties", _l("Who is on duty"), "calendar-days", "admin_duties.week")


def _offer_attendance() -> None:
    group = Group(_l("Emergencies"), "siren")
    _offer(group, attendance.RIGHT, "attendance", _l("Waiting times"), "clock", "admin_attendance.overview")
    described = (_l("Emergency departments"), "siren", "admin_attendance_departments.departments")
    _offer(group, "administration", "emergency-departments", *described)


def _offer_appointments() -> None:
    offer = partial(_offer, appointments.STAFF_MENU, "appointments")
    offer("agendas", _l("Agendas"), "calendar", "admin_agendas.unit")
    offer("pathways", _l("Visits that go together"), "calendar-days", "admin_pathways.pathways")
    offer("requests", _l("Requests for appointments"), "message-square", "admin_appointment_requests.tray")
    offer("waiting", _l("Waiting list"), "hourglass", "admin_waiting.waiting_list")
    offer("reasons", _l("Reasons"), "list", "admin_reasons.reasons")
    offer("resources", _l("Rooms and devices"), "building-2", "admin_resources.pools")
    offer("reminders", _l("Reminders"), "bell", "admin_reminders.overview")
    offer("appointment-exchanges", _l("Exchanges"), "arrow-up-down", "admin_appointment_exchanges.overview")


def _offer_questionnaires() -> None:
    offer = partial(_offer, questionnaires.STAFF_MENU, "care")
    offer("questionnaire-sending", _l("Send a questionnaire"), "mail", "admin_questionnaires.find_patient")
    offer("questionnaire-plans", _l("Sent by themselves"), "calendar", "admin_questionnaires.plans")
    offer("questionnaire-library", _l("Questionnaires of the hospital"), "list", "admin_questionnaires.library")


def _offer_preadmission() -> None:
    offer = partial(_offer, preadmission.STAFF_MENU, "preadmission")
    offer("stay-invitations", _l("Invitations to stays"), "mail", "admin_stay_invitations.invitations")
    offer("signatures", _l("Signatures"), "file-check", "admin_companions.overview")
    offer("maternity-requests", _l("Places at the maternity unit"), "users", "admin_maternity.tray")
    offer("preadmission-exchanges", _l("Exchanges of stays"), "arrow-up-down", "admin_preadmission_exchanges.overview")
    offer = partial(_offer, preadmission.STAFF_MENU, "administration")
    offer("admissions", _l("Admissions office"), "clipboard-list", "admin_preadmission_office.overview")
    offer("stay-calendars", _l("Calendar of stays"), "calendar", "admin_stay_calendars.overview")
    offer("room-prices", _l("Price of a single room"), "euro", "admin_room_prices.overview")
    offer("maternity-places", _l("Births that each site takes"), "calendar", "admin_maternity_places.places")


def _offer_identities() -> None:
    offer = partial(_offer, IDENTITIES, "identity")
    offer("identities", _l("Identities"), "id-card", "admin_identities.queue")
    offer("mandates", _l("Mandates"), "users", "admin_mandates.tray")
    offer("desk-accounts", _l("Accounts at the desk"), "id-card", "admin_desk_accounts.find_patient")
    offer("lost-factors", _l("Lost telephones"), "key-round", "admin_lost_factors.find_patient")
    offer("deaths", _l("Deaths"), "file-text", "admin_deaths.deaths")
    offer("data-requests", _l("Requests about data"), "file-check", "admin_data_requests.tray")


def _offer_oversight() -> None:
    offer = partial(_offer, OVERSIGHT, "audit")
    offer("journal", _l("Journal"), "history", "admin_audit.journal")
    offer("emergencies", _l("Emergency openings"), "siren", "admin_emergency_reviews.reviews")
    offer("unusual-accesses", _l("Unusual accesses"), "eye", "admin_unusual_accesses.tray")
    offer("support-register", _l("Screens seen by support"), "eye", "admin_support_register.register")
    offer("incidents", _l("Incidents"), "circle-alert", "admin_incidents.register")
    offer("security", _l("Security"), "shield-check", "admin_security.overview")


def _offer_deadlines() -> None:
    """In the menu of each right that answers things with a date."""
    for right, group in (("audit", OVERSIGHT), ("identity", IDENTITIES), ("administration", ADMINISTRATION)):
        _offer(group, right, f"deadlines-{right}", _l("Deadlines"), "hourglass", "admin_deadlines.tray")


def _offer_opinions() -> None:
    """In the menu of each service: its agents read what was let through of comments."""
    for right, group in (
        ("administration", FIGURES), ("appointments", appointments.STAFF_MENU),
        ("preadmission", preadmission.STAFF_MENU), ("care", questionnaires.STAFF_MENU),
    ):  # fmt: skip
        _offer(group, right, f"opinions-{right}", _l("Satisfaction"), "message-square", "admin_satisfaction.overview")


def _offer_hospitals() -> None:
    offer = partial(_offer, Group(_l("Hospitals"), "hospital"), "administration")
    offer("hospitals", _l("Hospitals"), "hospital", "admin_hospitals.overview")
    offer("places", _l("Sites and practitioners"), "map-pin", "admin_places.places")
    offer("offer-of-care", _l("Directory of the hospitals"), "hospital", "admin_offer.overview")


def _offer_administration() -> None:
    offer = partial(_offer, ADMINISTRATION, "administration")
    offer("staff", _l("Agents"), "users", "admin_staff.agents")
    offer("access-reviews", _l("Reviews of rights"), "shield-check", "admin_access_reviews.overview")
    offer("assurance", _l("Security of sign-in"), "shield-check", "admin_assurance.show")
    offer("hospital-provider", _l("The hospital’s own sign-in"), "log-in", "admin_hospital_provider.hospitals")
    offer("referral-offers", _l("What units take by referral"), "stethoscope", "admin_referral_offers.offers")
    offer("stripe", _l("Payment by Stripe"), "credit-card", "admin_stripe.hospitals")
    offer("digest-addresses", _l("The morning’s summary"), "mail", "admin_digest_addresses.addresses")
    offer("subscriptions", _l("Exchanges of appointments"), "arrow-up-down", "admin_subscriptions.settings")
    offer("hosted-communities", _l("Communities of the hospital"), "users", "admin_communities.overview")
    offer("machines", _l("Other systems"), "key-round", "admin_machines.machines")
    offer("opinion-comments", _l("Comments to screen"), "message-square", "admin_opinions.comments")
    offer("user-requests", _l("Complaints and thanks"), "message-square", "admin_user_requests.tray")
    offer("record-settings", _l("Requests of patients"), "file-check", "admin_record_settings.overview")
    offer("kiosks", _l("Terminals of the halls"), "log-in", "admin_kiosks.kiosks")
    offer("rush", _l("Waiting room"), "users", "admin_rush.show")
    offer("retention", _l("How long things are kept"), "hourglass", "admin_retention.overview")
    offer("mailboxes", _l("Secure mailboxes"), "mail", "admin_mailboxes.boxes")
    offer("connectors", _l("Connectors"), "activity", "admin_connectors.connectors")
    offer("jobs", _l("Jobs"), "clock", "admin_jobs.overview")
    offer("availability", _l("Availability"), "badge-check", "admin_availability.overview")


def _offer(group: Group, right: str, code: str, title: object, icon: str, endpoint: str) -> None:
    """An entry of the staff's menu."""
    card = Card(code, title, "", icon, endpoint, "staff", title, endpoint, right, group)
    catalog.offer(card)

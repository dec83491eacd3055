"""The staff's side of the rooms: dashboard, trays, staff, establishments, audit."""

from functools import partial

from flask import Flask
from flask_babel import lazy_gettext as _l

from admin import (
    care_ties,
    comparison_words,
    connector_words,
    figure_words,
    figures,
    front_desk,
    referral_outcomes,
    routes_absences,  # noqa: F401 - adds its pages to the agendas' blueprint
    routes_access_reviews,
    routes_agendas,
    routes_appointment_exchanges,
    routes_appointment_requests,
    routes_appointments,
    routes_assurance,
    routes_audit,
    routes_audit_verification,
    routes_availability,
    routes_bill_disputes,
    routes_bill_imports,
    routes_bill_journal,
    routes_bill_payouts,
    routes_bill_questions,
    routes_bill_refunds,
    routes_bill_reminders,
    routes_bill_sources,
    routes_billing,
    routes_callbacks,
    routes_communities,
    routes_companions,
    routes_connectors,
    routes_correspondent_lists,  # noqa: F401 - adds its pages to the exchanges' blueprint
    routes_dashboard,
    routes_data_requests,
    routes_deaths,
    routes_deposits,
    routes_desk_accounts,
    routes_digests,
    routes_directory,
    routes_document_content,
    routes_document_refusals,  # noqa: F401 - adds its pages to the documents' blueprint
    routes_document_tray,  # noqa: F401 - adds its pages to the documents' blueprint
    routes_documents,
    routes_duties,
    routes_emergencies,
    routes_exchange_inbox,  # noqa: F401 - adds its pages to the exchanges' blueprint
    routes_exchanges,
    routes_figure_comparison,
    routes_figure_exports,
    routes_figure_reports,
    routes_figure_services,
    routes_figure_targets,
    routes_figure_views,
    routes_figures,
    routes_guests,
    routes_hospital_provider,
    routes_hospital_settings,  # noqa: F401 - adds its pages to the hospitals' blueprint
    routes_hospital_structure,  # noqa: F401 - adds its pages to the hospitals' blueprint
    routes_hospitals,
    routes_identities,
    routes_incidents,
    routes_invitations,  # noqa: F401 - adds its pages to the agents' blueprint
    routes_jobs,
    routes_lines,
    routes_lost_factors,
    routes_machines,
    routes_mailboxes,
    routes_mandates,
    routes_masking,
    routes_maternity,
    routes_matrix,  # noqa: F401 - adds its pages to the agents' blueprint
    routes_offer,
    routes_offer_openings,  # noqa: F401 - adds its pages to the directory's blueprint
    routes_offer_reports,  # noqa: F401 - adds its pages to the directory's blueprint
    routes_pathways,
    routes_payment_notices,
    routes_phone_bookings,  # noqa: F401 - adds its pages to the appointments' blueprint
    routes_places,
    routes_preadmission,
    routes_preadmission_decisions,  # noqa: F401 - adds its pages to the tray's blueprint
    routes_preadmission_exchanges,
    routes_preadmission_files,  # noqa: F401 - adds its pages to the tray's blueprint
    routes_preadmission_lists,  # noqa: F401 - adds its pages to the tray's blueprint
    routes_preadmission_messages,
    routes_preadmission_phone,  # noqa: F401 - adds its pages to the tray's blueprint
    routes_questionnaires,
    routes_questionnaires_editor,  # noqa: F401 - adds its pages to the questionnaires' blueprint
    routes_questionnaires_library,  # noqa: F401 - adds its pages to the questionnaires' blueprint
    routes_questionnaires_plans,  # noqa: F401 - adds its pages to the questionnaires' blueprint
    routes_reasons,
    routes_record_answers,  # noqa: F401 - adds its pages to both desks of requests
    routes_record_requests,
    routes_record_settings,
    routes_referral_answers,  # noqa: F401 - adds its pages to the referrals' blueprint
    routes_referral_dates,  # noqa: F401 - adds its pages to the referrals' blueprint
    routes_referral_offers,
    routes_referrals,
    routes_reminders,
    routes_reply_texts,  # noqa: F401 - adds its pages to the exchanges' blueprint
    routes_requests,  # noqa: F401 - adds its pages to the agents' blueprint
    routes_resources,
    routes_retention,
    routes_room_prices,
    routes_rush,
    routes_security,
    routes_settlement,
    routes_shelf,
    routes_staff,
    routes_stay_calendars,
    routes_stay_invitations,
    routes_stripe,
    routes_stripe_events,
    routes_subscriptions,
    routes_totals,
    routes_transmissions,
    routes_treasury,
    routes_unit_desks,  # noqa: F401 - adds its pages to the exchanges' blueprint
    routes_unusual_accesses,
    routes_visits,  # noqa: F401 - adds its pages to the appointments' blueprint
    routes_waiting,
)
from auth.wording import say
from portal import catalog, retention
from portal.catalog import Card, Group
from services import appointments, lines, preadmission, questionnaires
from services.billing.guests.actions import may_be_noticed
from services.billing.settlement.forms import RejectionForm


def register(app: Flask) -> None:
    """Add the staff's screens."""
    app.jinja_env.globals["figure_words"] = figure_words
    app.register_blueprint(routes_dashboard.dashboard_pages)
    app.register_blueprint(routes_figures.figure_pages)
    _add_figures(app)
    app.register_blueprint(routes_staff.staff_pages)
    app.register_blueprint(routes_machines.machine_pages)
    app.register_blueprint(routes_emergencies.emergency_pages)
    app.register_blueprint(routes_emergencies.review_pages)
    _add_oversight(app)
    _add_machinery(app)
    _add_bills(app)
    _add_appointments(app)
    _add_stays(app)
    app.register_blueprint(routes_questionnaires.pages)
    _add_documents(app)
    app.register_blueprint(routes_data_requests.request_pages)
    app.register_blueprint(routes_deaths.death_pages)
    app.register_blueprint(routes_digests.pages)
    app.register_blueprint(routes_digests.address_pages)
    app.register_blueprint(routes_guests.guest_pages)
    app.register_blueprint(routes_desk_accounts.desk_pages)
    app.jinja_env.globals["link_to_invite"] = routes_guests.link_to_invite
    app.register_blueprint(routes_identities.pages)
    app.register_blueprint(routes_mandates.pages)
    app.register_blueprint(routes_masking.pages)
    app.register_blueprint(routes_assurance.assurance_pages)
    app.register_blueprint(routes_hospital_provider.provider_pages)
    app.register_blueprint(routes_hospitals.pages)
    app.register_blueprint(routes_lost_factors.lost_factor_pages)
    _add_city(app)
    _add_life_of_files(app)
    front_desk.register(app)
    _offer_appointments()
    _offer_preadmission()
    _offer_questionnaires()
    catalog.offer(RECORD_REQUESTS)
    catalog.offer(REFERRALS)
    _offer_identities()
    _offer_oversight()
    front_desk.offer()
    _offer_hospitals()
    _offer_administration()


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


def _add_machinery(app: Flask) -> None:
    """Connectors, jobs and availability."""
    for pages in (routes_connectors.connector_pages, routes_jobs.pages, routes_availability.pages):
        app.register_blueprint(pages)
    routes_connectors.offer_bands()
    say(connector_words.WORDS)
    figures.declare()


def _add_oversight(app: Flask) -> None:
    """Who watches over accesses, and what they keep."""
    care_ties.declare()
    for pages in (routes_audit.journal_pages, routes_audit_verification.verification_pages):
        app.register_blueprint(pages)
    for pages in (routes_unusual_accesses.unusual_pages, routes_access_reviews.review_pages):
        app.register_blueprint(pages)
    for pages in (routes_security.security_pages, routes_incidents.incident_pages):
        app.register_blueprint(pages)


def _add_figures(app: Flask) -> None:
    app.jinja_env.globals["comparison_words"] = comparison_words
    for pages in (routes_figure_services.pages, routes_figure_comparison.pages):
        app.register_blueprint(pages)
    for pages in (routes_figure_targets.pages, routes_figure_views.pages):
        app.register_blueprint(pages)
    offer = partial(_offer, Group(_l("Figures"), "chart-column"), "administration")
    offer("comparison", _l("Comparison of hospitals"), "building-2", "admin_figure_comparison.show")
    app.register_blueprint(routes_totals.total_pages)
    offer("totals", _l("Totals of the hospital"), "file-check", "admin_totals.overview")
    offer("figure-views", _l("Saved views"), "list", "admin_figure_views.views")
    for pages in (routes_figure_exports.export_pages, routes_figure_reports.pages):
        app.register_blueprint(pages)
    offer("figure-exports", _l("Figures to take away"), "download", "admin_figure_exports.choose")
    offer("figure-reports", _l("Reports of each month"), "mail", "admin_figure_reports.reports")


def _add_documents(app: Flask) -> None:
    for pages in (routes_documents.documents_pages, routes_shelf.pages, routes_deposits.pages, routes_directory.pages):
        app.register_blueprint(pages)
    for pages in (routes_document_content.content_pages, routes_exchanges.exchanges_pages):
        app.register_blueprint(pages)
    for pages in (routes_mailboxes.mailbox_pages, routes_transmissions.transmission_pages):
        app.register_blueprint(pages)
    for pages in (routes_record_requests.pages, routes_record_requests.complaint_pages, routes_record_settings.pages):
        app.register_blueprint(pages)


def _add_city(app: Flask) -> None:
    """What the hospital shares with the practitioners of the city."""
    for pages in (routes_offer.pages, routes_lines.pages, routes_duties.pages, routes_callbacks.pages):
        app.register_blueprint(pages)
    app.register_blueprint(routes_communities.community_pages)
    _add_referrals(app)
    _offer_lines()


def _add_referrals(app: Flask) -> None:
    referral_outcomes.declare()
    for pages in (routes_referrals.pages, routes_referral_offers.offer_pages):
        app.register_blueprint(pages)


def _add_bills(app: Flask) -> None:
    for pages in (routes_billing.billing_tray, routes_bill_journal.journal_pages, routes_bill_sources.source_pages):
        app.register_blueprint(pages)
    app.register_blueprint(routes_stripe.stripe_pages)
    app.register_blueprint(routes_stripe_events.stripe_news)
    app.register_blueprint(routes_payment_notices.notice_pages)
    app.jinja_env.globals["may_print_notice"] = may_be_noticed
    app.register_blueprint(routes_bill_refunds.refund_pages)
    app.register_blueprint(routes_bill_disputes.dispute_pages)
    app.register_blueprint(routes_bill_payouts.payout_pages)
    app.jinja_env.globals["money_back"] = routes_bill_refunds.money_back
    app.register_blueprint(routes_bill_imports.pages)
    app.register_blueprint(routes_bill_questions.pages)
    app.register_blueprint(routes_bill_reminders.pages)
    for pages in (routes_settlement.pages, routes_settlement.rejections, routes_treasury.pages):
        app.register_blueprint(pages)
    app.jinja_env.globals["rejection_form"] = RejectionForm


def _add_stays(app: Flask) -> None:
    app.register_blueprint(routes_preadmission.preadmission_pages)
    app.register_blueprint(routes_companions.pages)
    app.register_blueprint(routes_room_prices.price_pages)
    app.register_blueprint(routes_preadmission_exchanges.pages)
    app.jinja_env.globals["stay_told_to_his"] = routes_preadmission_exchanges.stay_told_to_his
    app.register_blueprint(routes_preadmission_messages.message_pages)
    app.register_blueprint(routes_maternity.maternity_pages)
    app.register_blueprint(routes_maternity.places_pages)


def _add_appointments(app: Flask) -> None:
    app.register_blueprint(routes_appointments.pages)
    app.register_blueprint(routes_appointment_exchanges.pages)
    app.register_blueprint(routes_subscriptions.pages)
    app.register_blueprint(routes_agendas.pages)
    app.register_blueprint(routes_reminders.pages)
    app.register_blueprint(routes_appointment_requests.pages)
    app.register_blueprint(routes_waiting.pages)
    app.register_blueprint(routes_pathways.pathway_pages)
    app.register_blueprint(routes_rush.rush_pages)
    app.register_blueprint(routes_reasons.reason_pages)
    app.register_blueprint(routes_resources.resource_pages)
    app.register_blueprint(routes_places.place_pages)
    app.jinja_env.globals["told_to_his"] = routes_appointment_exchanges.told_to_his


def _add_life_of_files(app: Flask) -> None:
    for pages in (routes_retention.pages, routes_stay_calendars.pages, routes_stay_invitations.pages):
        app.register_blueprint(pages)
    app.jinja_env.globals["legal_holds"] = lambda *subjects: retention.holds_on(subjects)


def _offer_lines() -> None:
    _offer(lines.STAFF_MENU, lines.RIGHT, "callbacks", _l("Calls back"), "phone", "admin_callbacks.tray")
    offer = partial(_offer, lines.STAFF_MENU, "administration")
    offer("direct-lines", _l("Direct lines"), "phone", "admin_lines.overview")
    offer("duties", _l("Who is on duty"), "calendar-days", "admin_duties.week")


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
    offer = partial(_offer, Group(_l("Identities"), "id-card"), "identity")
    offer("identities", _l("Identities"), "id-card", "admin_identities.queue")
    offer("mandates", _l("Mandates"), "users", "admin_mandates.tray")
    offer("desk-accounts", _l("Accounts at the desk"), "id-card", "admin_desk_accounts.find_patient")
    offer("lost-factors", _l("Lost telephones"), "key-round", "admin_lost_factors.find_patient")
    offer("deaths", _l("Deaths"), "file-text", "admin_deaths.deaths")
    offer("data-requests", _l("Requests about data"), "file-check", "admin_data_requests.tray")


def _offer_oversight() -> None:
    offer = partial(_offer, Group(_l("Oversight"), "history"), "audit")
    offer("journal", _l("Journal"), "history", "admin_audit.journal")
    offer("emergencies", _l("Emergency openings"), "siren", "admin_emergency_reviews.reviews")
    offer("unusual-accesses", _l("Unusual accesses"), "eye", "admin_unusual_accesses.tray")
    offer("incidents", _l("Incidents"), "circle-alert", "admin_incidents.register")
    offer("security", _l("Security"), "shield-check", "admin_security.overview")


def _offer_hospitals() -> None:
    offer = partial(_offer, Group(_l("Hospitals"), "hospital"), "administration")
    offer("hospitals", _l("Hospitals"), "hospital", "admin_hospitals.overview")
    offer("places", _l("Sites and practitioners"), "map-pin", "admin_places.places")
    offer("offer-of-care", _l("Directory of the hospitals"), "hospital", "admin_offer.overview")


def _offer_administration() -> None:
    offer = partial(_offer, Group(_l("Administration"), "settings"), "administration")
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
    offer("user-requests", _l("Complaints and thanks"), "message-square", "admin_user_requests.tray")
    offer("record-settings", _l("Requests of patients"), "file-check", "admin_record_settings.overview")
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

"""The staff's side of the rooms: dashboard, trays, staff, establishments, audit."""

from functools import partial

from flask import Flask
from flask_babel import lazy_gettext as _l

from admin import (
    figure_words,
    routes_absences,  # noqa: F401 - adds its pages to the agendas' blueprint
    routes_agendas,
    routes_appointment_exchanges,
    routes_appointment_requests,
    routes_appointments,
    routes_assurance,
    routes_audit,
    routes_bill_disputes,
    routes_bill_imports,
    routes_bill_journal,
    routes_bill_payouts,
    routes_bill_questions,
    routes_bill_refunds,
    routes_bill_reminders,
    routes_bill_sources,
    routes_billing,
    routes_companions,
    routes_connectors,
    routes_dashboard,
    routes_data_requests,
    routes_deaths,
    routes_desk_accounts,
    routes_documents,
    routes_emergencies,
    routes_exchanges,
    routes_figures,
    routes_guests,
    routes_hospital_provider,
    routes_identities,
    routes_invitations,  # noqa: F401 - adds its pages to the agents' blueprint
    routes_lost_factors,
    routes_machines,
    routes_mandates,
    routes_masking,
    routes_maternity,
    routes_matrix,  # noqa: F401 - adds its pages to the agents' blueprint
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
    routes_reminders,
    routes_requests,  # noqa: F401 - adds its pages to the agents' blueprint
    routes_resources,
    routes_retention,
    routes_room_prices,
    routes_rush,
    routes_settlement,
    routes_staff,
    routes_stay_calendars,
    routes_stay_invitations,
    routes_stripe,
    routes_stripe_events,
    routes_subscriptions,
    routes_treasury,
    routes_visits,  # noqa: F401 - adds its pages to the appointments' blueprint
    routes_waiting,
)
from portal import catalog, retention
from portal.catalog import Card, Group
from services import appointments, preadmission, questionnaires
from services.billing.guests.actions import may_be_noticed
from services.billing.settlement.forms import RejectionForm


def register(app: Flask) -> None:
    """Add the staff's screens."""
    app.jinja_env.globals["figure_words"] = figure_words
    app.register_blueprint(routes_dashboard.dashboard_pages)
    app.register_blueprint(routes_figures.figure_pages)
    app.register_blueprint(routes_staff.staff_pages)
    app.register_blueprint(routes_machines.machine_pages)
    app.register_blueprint(routes_emergencies.emergency_pages)
    app.register_blueprint(routes_emergencies.review_pages)
    app.register_blueprint(routes_audit.journal_pages)
    app.register_blueprint(routes_connectors.connector_pages)
    _add_bills(app)
    _add_appointments(app)
    _add_stays(app)
    app.register_blueprint(routes_questionnaires.pages)
    app.register_blueprint(routes_documents.documents_pages)
    app.register_blueprint(routes_exchanges.exchanges_pages)
    app.register_blueprint(routes_data_requests.request_pages)
    app.register_blueprint(routes_deaths.death_pages)
    app.register_blueprint(routes_guests.guest_pages)
    app.register_blueprint(routes_desk_accounts.desk_pages)
    app.jinja_env.globals["link_to_invite"] = routes_guests.link_to_invite
    app.register_blueprint(routes_identities.pages)
    app.register_blueprint(routes_mandates.pages)
    app.register_blueprint(routes_masking.pages)
    app.register_blueprint(routes_assurance.assurance_pages)
    app.register_blueprint(routes_hospital_provider.provider_pages)
    app.register_blueprint(routes_lost_factors.lost_factor_pages)
    _add_life_of_files(app)
    _offer_appointments()
    _offer_preadmission()
    _offer_questionnaires()
    _offer_identities()
    _offer_oversight()
    _offer_administration()


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


def _offer_administration() -> None:
    offer = partial(_offer, Group(_l("Administration"), "settings"), "administration")
    offer("staff", _l("Agents"), "users", "admin_staff.agents")
    offer("places", _l("Sites and practitioners"), "map-pin", "admin_places.places")
    offer("assurance", _l("Security of sign-in"), "shield-check", "admin_assurance.show")
    offer("hospital-provider", _l("The hospital’s own sign-in"), "log-in", "admin_hospital_provider.hospitals")
    offer("stripe", _l("Payment by Stripe"), "credit-card", "admin_stripe.hospitals")
    offer("subscriptions", _l("Exchanges of appointments"), "arrow-up-down", "admin_subscriptions.settings")
    offer("machines", _l("Other systems"), "key-round", "admin_machines.machines")
    offer("rush", _l("Waiting room"), "users", "admin_rush.show")
    offer("retention", _l("How long things are kept"), "hourglass", "admin_retention.overview")
    offer("connectors", _l("Connectors"), "activity", "admin_connectors.connectors")


def _offer(group: Group, right: str, code: str, title: object, icon: str, endpoint: str) -> None:
    """An entry of the staff's menu."""
    card = Card(code, title, "", icon, endpoint, "staff", title, endpoint, right, group)
    catalog.offer(card)

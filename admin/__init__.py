"""The staff's side of the rooms: dashboard, trays, staff, establishments, audit."""

from flask import Flask

from admin import (
    care_ties,
    closings,  # noqa: F401 - its job
    comparison_words,
    connector_words,
    figure_words,
    figures,
    front_desk,
    kiosk_stays,
    machinery_keeping,
    menu,
    printed_lists,
    printed_lists_words,
    referral_outcomes,
    routes_absences,  # noqa: F401 - adds its pages to the agendas' blueprint
    routes_access_reviews,
    routes_agendas,
    routes_appointment_exchanges,
    routes_appointment_requests,
    routes_appointments,
    routes_arrivals,  # noqa: F401 - adds its page to the appointments' blueprint
    routes_assurance,
    routes_attendance,
    routes_attendance_departments,
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
    routes_deadlines,
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
    routes_figure_units,
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
    routes_kiosks,
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
    routes_opinions,
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
    routes_questionnaires_review,  # noqa: F401 - adds its pages to the questionnaires' blueprint
    routes_questionnaires_translations,  # noqa: F401 - adds its pages to the questionnaires' blueprint
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
    routes_roles,  # noqa: F401 - adds its pages to the agents' blueprint
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
    routes_support,
    routes_totals,
    routes_transmissions,
    routes_treasury,
    routes_unit_desks,  # noqa: F401 - adds its pages to the exchanges' blueprint
    routes_unusual_accesses,
    routes_visits,  # noqa: F401 - adds its pages to the appointments' blueprint
    routes_waiting,
)
from auth.wording import say
from portal import establishments, retention
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
    app.register_blueprint(routes_deadlines.pages)
    for pages in (routes_opinions.pages, routes_opinions.comment_pages):
        app.register_blueprint(pages)
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
    menu.offer()


def _add_machinery(app: Flask) -> None:
    """Connectors, jobs and availability."""
    for pages in (routes_connectors.connector_pages, routes_jobs.pages, routes_availability.pages):
        app.register_blueprint(pages)
    routes_connectors.offer_bands()
    say(connector_words.WORDS)
    say(printed_lists_words.WORDS)
    establishments.check_setting_with(printed_lists.check)
    machinery_keeping.declare()
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
    for pages in (routes_figure_services.pages, routes_figure_units.pages, routes_figure_comparison.pages):
        app.register_blueprint(pages)
    for pages in (routes_figure_targets.pages, routes_figure_views.pages):
        app.register_blueprint(pages)
    app.register_blueprint(routes_totals.total_pages)
    for pages in (routes_figure_exports.export_pages, routes_figure_reports.pages):
        app.register_blueprint(pages)


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
    app.register_blueprint(routes_support.support_pages)
    app.register_blueprint(routes_support.register_pages)
    app.register_blueprint(routes_agendas.pages)
    app.register_blueprint(routes_reminders.pages)
    app.register_blueprint(routes_appointment_requests.pages)
    app.register_blueprint(routes_waiting.pages)
    app.register_blueprint(routes_pathways.pathway_pages)
    app.register_blueprint(routes_rush.rush_pages)
    app.register_blueprint(routes_reasons.reason_pages)
    app.register_blueprint(routes_resources.resource_pages)
    app.register_blueprint(routes_places.place_pages)
    for each in (routes_attendance.pages, routes_attendance_departments.pages, routes_kiosks.pages):
        app.register_blueprint(each)
    kiosk_stays.declare()
    app.jinja_env.globals["told_to_his"] = routes_appointment_exchanges.told_to_his


def _add_life_of_files(app: Flask) -> None:
    for pages in (routes_retention.pages, routes_stay_calendars.pages, routes_stay_invitations.pages):
        app.register_blueprint(pages)
    app.jinja_env.globals["legal_holds"] = lambda *subjects: retention.holds_on(subjects)

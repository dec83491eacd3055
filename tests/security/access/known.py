"""What the matrix of access may find without being wrong, and why. A new route that is not here is refused."""

from collections.abc import Iterable


def _because(why: str, endpoints: str) -> Iterable[tuple[str, str]]:
    return ((each, why) for each in endpoints.split())


FOR_EVERYBODY = dict(
    [
        *_because(
            "what is open to all: times, waits, places of care",
            "pathways.choose_time attendance.hospital attendance.screen pages.open_service",
        ),
        *_because(
            "the directory that other systems read without a pass",
            "fhir_offer.search fhir_offer.search_by_post fhir_directory.read_location"
            " fhir_directory.read_organization fhir_directory.read_practitioner",
        ),
        *_because(
            "a unit or a hospital that anybody of the audience may turn to",
            "my_messages.write enrolment.hospital enrolment.ask documents.send lines.show lines.keep lines.let_go"
            " lines.ask lines.send admin_exchanges.write",
        ),
    ]
)
"""endpoint → why its objects are nobody's own."""
SHARED = dict(
    [
        *_because(
            "a mandate is of two people: the one who gave it, and the one who had it",
            "mandates.show mandates.stop mandates.renew",
        ),
        *_because("says what is wrong with a resource before it says whose it is", "fhir_documents.put"),
        *_because("copies what another hospital shares", "admin_questionnaires.copy"),
        *_because(
            "asks for another right inside: that of administering the hospital",
            "admin_agendas.choose_holidays",
        ),
        *_because(
            "remarks on the portal itself, and its one plan, for whoever administers one of its hospitals",
            "admin_accessibility.report admin_accessibility.take_on admin_accessibility.advance",
        ),
        *_because("a file has lines of several hospitals: each sees its own", "admin_bill_imports.show"),
        *_because("the national directory is imported once for the group", "admin_directory.show"),
        *_because(
            "somebody who prepares stays at both hospitals: each machine reads the file of its own",
            "fhir_preadmission_contents.read_patient",
        ),
    ]
)
"""endpoint → why its objects open for several."""
NOBODY_S = dict(
    [
        *_because(
            "opens by a word sent to somebody, that is kept as a digest",
            "community_links.refuse community_links.take local.set_up local.set_up_passkey local.set_up_password"
            " billing_public.come_back guests.birth guests.code digest_stops.stop news_stops.stop calendar.read"
            " appointment_links.show appointment_links.cancel appointment_links.move appointment_links.come"
            " signature_links.follow",
        ),
        *_because(
            "follows the proof of a bill or an invitation, in the same browser",
            "guests.show billing_guests.ask_again billing_guests.bills billing_guests.leave_to_pay"
            " billing_guests.leave_to_pay_together billing_guests.pay billing_guests.pay_together"
            " billing_guests.receipt billing_guests.receipt_pdf billing_guests.show billing_letters.leave",
        ),
        *_because(
            "the way to an identity provider and back",
            "auth.callback auth.logout_callback auth.start auth.callback_of_hospital auth.logout_callback_of_hospital"
            " auth.start_at_hospital",
        ),
        *_because("named by its digest", "pages.logo pages.theme_css"),
        *_because("for who has a password of ours: nobody of the demonstration has one", "password.change"),
        *_because("of payment providers, who sign", "billing_callbacks.payfip"),
        *_because("proves itself in the body", "oauth.token"),
        *_because(
            "named by its query: what its owner reads at the bare address is a list, which it does not take",
            "fhir_referrals_sent.put_by_identifier",
        ),
        *_because(
            "the second step of a form, which says what was chosen in the first",
            "my_appointments.book my_pathways.confirm my_pathways.book waiting.new waiting.enter"
            " city_appointments.choose_slot city_appointments.confirm city_appointments.book appointments.choose_slot"
            " admin_appointments.book admin_appointments.book_cell admin_appointments.choose_place"
            " admin_appointments.choose_reason admin_appointments.new_patient admin_appointments.receive"
            " admin_appointments.register_patient admin_pathways.create admin_pathways.new admin_waiting.add"
            " admin_waiting.new account.act_for mandates.act_for factors.add_address factors.add_passkey"
            " referral_drafts.arrange verification.send contact.code record_requests.begin",
        ),
        *_because(
            "named by a word that no table holds",
            "account_consents.text admin_directory.person admin_directory.structure"
            " admin_message_texts.restore admin_message_texts.text admin_message_texts.try_out"
            " admin_message_texts.undo choices.text directory.person fhir_directory.read_role"
            " fhir_directory.read_service fhir_preadmission_contents.read_cover"
            " fhir_preadmission_contents.read_related_person fhir_schedules.read_schedule fhir_slots.read_slot"
            " offer.report offer.show pro_offer.show",
        ),
        *_because(
            "what the demonstration has lets nobody in: none, or none in the state that this asks for",
            "admin_agendas.add_period admin_agendas.forget_period admin_appointment_exchanges.replay"
            " admin_appointment_exchanges.set_aside admin_appointment_requests.accept"
            " admin_appointment_requests.letter admin_preadmission.piece_page admin_preadmission_exchanges.replay"
            " admin_preadmission_exchanges.sent admin_preadmission_exchanges.set_aside admin_questionnaires.add_item"
            " admin_questionnaires.duplicate_item admin_questionnaires.move_item admin_questionnaires.remove_item"
            " account_data.copy admin_accessibility.advance admin_accessibility.plan"
            " admin_accessibility.report admin_accessibility.take_on admin_availability.declare"
            " admin_availability.withdraw admin_catalogue.change_link admin_catalogue.forbid_host"
            " admin_connectors.close admin_connectors.reopen admin_connectors.retry admin_connectors.try_now"
            " admin_deposits.original admin_deposits.page admin_document_content.sheet admin_duties.add"
            " admin_duties.copy admin_duties.new admin_emergencies.close admin_emergencies.document"
            " admin_emergencies.show admin_exchanges.come_back admin_exchanges.write_by_link"
            " admin_exchanges.write_to_address admin_figure_targets.set_again admin_figure_targets.show"
            " admin_figure_views.remove admin_figure_views.share admin_guests.invite admin_guests.withdraw"
            " admin_hospital_provider.remove admin_hospital_provider.trial admin_hospitals.open_hospital"
            " admin_hospitals.undo admin_identities.show_link admin_identities.undo_link admin_jobs.give_up"
            " admin_jobs.retry admin_jobs.retry_all admin_legal.accessibility admin_legal.legal"
            " admin_offer.take_back_days admin_opinions.show admin_preadmission_office.drop_message"
            " admin_preadmission_office.message admin_record_requests.revoke admin_referrals.file"
            " admin_retention.lift admin_settlement.close_day admin_settlement.day admin_shelf.change_type"
            " admin_shelf.switch_mes admin_staff.withdraw_invitation admin_stripe_events.ask_again"
            " admin_support.end admin_support.first_screen admin_support.screen admin_support.show"
            " admin_user_requests.certify admin_user_requests.file admin_user_requests.revoke"
            " circle_documents.file circle_documents.laid_out circle_documents.letter circle_documents.sheet"
            " circle_patients.withdraw communities.accept communities.decline communities.invitation"
            " delegations.act_for delegations.give_back factors.remove factors.rename fhir_referrals.read_file"
            " fhir_referrals_sent.put my_document_content.laid_out my_document_content.sheet"
            " my_documents.change_deposit_page my_documents.deposit_page offer.plan opinions.ask"
            " preadmission.piece_page record_requests.unjoin referrals.file referrals.inside referrals.read"
            " requests.letter support.end",
        ),
    ]
)
"""endpoint → why nobody of the cast gets in."""
SAYS_MORE = {"admin_stay_invitations.withdraw": "takes a reason, which its page does not ask for"}
"""endpoint → why its form may write something that its page did not ask."""

"""Messages about visits booked together: that they exist, and where to read the rest."""

from uuid import UUID

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message


@message("appointments.chain_booked", at_hospital=True)
def booked(chain_id: UUID) -> Mail:
    return Mail(
        subject=_l("Your visits are confirmed"),
        paragraphs=(
            _l("Hello,"),
            _l("Several visits that belong together are booked for you."),
            _l("The dates, the places and what to bring are in your account: for your privacy, not in this mail."),
        ),
        path=f"/rendez-vous/parcours/reserves/{chain_id}",
    )


@message("appointments.chain_cancelled", at_hospital=True)
def cancelled(chain_id: UUID) -> Mail:
    return Mail(
        subject=_l("Your visits are cancelled"),
        paragraphs=(
            _l("Hello,"),
            _l("The visits that were booked together for you are cancelled."),
            _l("The details are in your account, and you can choose other times there:"),
        ),
        path=f"/rendez-vous/parcours/reserves/{chain_id}",
    )

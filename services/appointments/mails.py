"""Messages about appointments: that one exists, and its reference. Neither the unit, nor why, nor with whom."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail
from services.appointments.models import Appointment


def confirmed(appointment: Appointment) -> Mail:
    return Mail(
        subject=_l("Your appointment is confirmed"),
        paragraphs=(
            _l("Hello,"),
            _l("Your appointment is confirmed. Its reference is %(reference)s.", reference=appointment.reference),
            _l("The date, the place and what to bring are in your account: for your privacy, not in this mail."),
        ),
        path=f"/rendez-vous/{appointment.id}",
    )


def moved(appointment: Appointment) -> Mail:
    return Mail(
        subject=_l("Your appointment is at another time"),
        paragraphs=(
            _l("Hello,"),
            _l("Your appointment with reference %(reference)s has moved.", reference=appointment.reference),
            _l("The new date, the place and what to bring are in your account: for your privacy, not in this mail."),
        ),
        path=f"/rendez-vous/{appointment.id}",
    )


def cancelled(appointment: Appointment) -> Mail:
    return Mail(
        subject=_l("Your appointment is cancelled"),
        paragraphs=(
            _l("Hello,"),
            _l("Your appointment with reference %(reference)s is cancelled.", reference=appointment.reference),
            _l("The details are in your account, and you can choose another time there:"),
        ),
        path=f"/rendez-vous/{appointment.id}",
    )

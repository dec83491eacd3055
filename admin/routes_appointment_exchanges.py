"""The agents' side of exchanges about appointments: what waits, what was refused and why, what was received, where
both sides differ; telling again."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from admin.forms_exchanges import ReplayForm
from auth import guards
from portal.web.fields import choices
from portal.web.repeated_posts import once
from services.appointments import queries as appointments
from services.appointments.exchanges import actions as telling
from services.appointments.exchanges import queries as both_sides
from services.appointments.exchanges import wording
from services.appointments.exchanges.states import SUBJECT
from services.appointments.models import Appointment
from services.exchanges import actions, queries, states, subjects
from services.exchanges import wording as words
from services.exchanges.queries import Line, Which

pages = guards.staff(
    Blueprint(
        "admin_appointment_exchanges", __name__, url_prefix="/admin/echanges-agenda", template_folder="templates"
    ),
    right="appointments",
)
Answer = str | Response | tuple[str, int]


def _here() -> frozenset[UUID]:
    return guards.establishments("appointments")


@pages.get("")
def overview() -> str:
    """How each exchange is, and what people must look at."""
    return _overview(None)


def _overview(form: ReplayForm | None) -> str:
    lines = queries.lines(_here(), SUBJECT)
    form = form or ReplayForm(formdata=None)
    _offer(form, lines)
    return render_template(
        "admin/appointment_exchanges/overview.html",
        lines=lines,
        differences=len(both_sides.differences(_here())),
        refused_messages=queries.refused_lately(_here(), SUBJECT),
        form=form,
        words=words,
        events=wording.EVENTS,
        administers=bool(guards.establishments("administration")),
    )


def _offer(form: ReplayForm, lines: Sequence[Line]) -> None:
    form.follower.choices = choices((str(each.follower.id), called(each)) for each in lines)


def called(line: Line) -> str:
    """How a follower is called on the screens."""
    follower = line.follower
    hospital = follower.establishment.short_name or follower.establishment.name
    name = _("Hospital’s system") if follower.kind == states.HIS else follower.name
    return f"{name} – {hospital}"


@pages.post("/redire")
@once
def replay_since() -> Answer:
    """Tell everything of a day, or since a day, again."""
    form = ReplayForm()
    _offer(form, queries.lines(_here(), SUBJECT))
    if not form.validate():
        return _overview(form), 422
    follower = queries.follower(UUID(form.follower.data), _here()) or abort(404)
    told = actions.replay_since(follower, *form.span(follower.establishment.tz), SUBJECT)
    flash(ngettext("One change will be told again.", "%(num)s changes will be told again.", told), "success")
    return redirect(url_for(".overview"), 303)


def told_to_his(appointment: Appointment) -> list[dict[str, str]]:
    """For an appointment's own page: whether the hospital's system knows it. No line where it has none."""
    state = both_sides.known_there([appointment.id]).get(appointment.id)
    if state is None:
        return []
    return [
        {
            "key": _("Hospital’s system"),
            "value": str(wording.KNOWN_THERE[state]),
            "action_href": url_for("admin_appointment_exchanges.deliveries", reference=appointment.reference),
            "action_text": _("See what was sent"),
        }
    ]


# -- what is told ------------------------------------------------------------------------------------------------


@pages.get("/envois")
def deliveries() -> str:
    """What was told or waits, the newest first; of one state, one follower or one appointment when asked."""
    state = request.args.get("state", "")
    state = state if state in states.DELIVERY_STATES else ""
    reference = request.args.get("reference", "")[:20]
    found = queries.deliveries(_here(), Which(SUBJECT, state, reference=reference))
    return render_template(
        "admin/appointment_exchanges/deliveries.html",
        deliveries=found,
        references=subjects.references(found),
        state=state,
        reference=reference,
        words=words,
        events=wording.EVENTS,
    )


@pages.post("/envois/<uuid:delivery_id>/redire")
def replay(delivery_id: UUID) -> Response:
    """Tell this change again, and those after it of the same appointment."""
    told = actions.replay(queries.delivery(delivery_id, _here(), SUBJECT) or abort(404))
    flash(ngettext("One change will be told again.", "%(num)s changes will be told again.", told), "success")
    return redirect(url_for(".deliveries", state="waiting"), 303)


@pages.post("/envois/<uuid:delivery_id>/ecarter")
def set_aside(delivery_id: UUID) -> Response:
    """Tell it no more: it was settled otherwise."""
    actions.set_aside(queries.delivery(delivery_id, _here(), SUBJECT) or abort(404))
    flash(_("It will not be told. It stays in the list, and can still be told again."), "success")
    return redirect(url_for(".deliveries", state="refused"), 303)


# -- what is received --------------------------------------------------------------------------------------------


@pages.get("/recus")
def messages() -> str:
    """What hospital systems said, the newest first."""
    refused_only = request.args.get("state", "") == "refused"
    return render_template(
        "admin/appointment_exchanges/messages.html",
        messages=queries.messages(_here(), SUBJECT, refused_only=refused_only),
        refused_only=refused_only,
        words=words,
        events=wording.EVENTS,
    )


@pages.get("/recus/<uuid:message_id>")
def message(message_id: UUID) -> str:
    """One message, in full: looking is written down."""
    found = queries.message(message_id, _here(), SUBJECT) or abort(404)
    actions.open_message(found)
    lines = found.body.replace("\r\n", "\r").replace("\n", "\r").split("\r")
    return render_template(
        "admin/appointment_exchanges/message.html",
        message=found,
        text="\n".join(line for line in lines if line),
        words=words,
        events=wording.EVENTS,
    )


# -- where both sides differ -------------------------------------------------------------------------------------


@pages.get("/ecarts")
def differences() -> str:
    """Two appointments at one hour, and appointments that the two sides hold at different times."""
    return render_template("admin/appointment_exchanges/differences.html", differences=both_sides.differences(_here()))


@pages.post("/ecarts/<uuid:appointment_id>/redire")
def tell_again(appointment_id: UUID) -> Response:
    """Tell the hospital's system what the portal holds."""
    if telling.tell_again(appointments.one_at(appointment_id, _here()) or abort(404)):
        flash(_("The hospital’s system will be told the portal’s time."), "success")
    else:
        flash(_("The portal sends nothing to this hospital’s system."), "warning")
    return redirect(url_for(".differences"), 303)

"""The treasury's batches: sealed each night, taken by whoever keeps the books."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from auth import guards
from portal import db, establishments
from portal.calendar import civil_day
from portal.establishments import Establishment
from services.billing.treasury import actions, layout, queries
from services.billing.treasury.actions import UnknownBatch

pages = guards.staff(
    Blueprint("admin_treasury", __name__, url_prefix="/admin/factures/tresorerie", template_folder="templates"),
    right="billing",
)
_LAST_PAGE = 10_000


@pages.get("", strict_slashes=False)
def batches() -> str:
    mine = _mine()
    page = min(max(request.args.get("page", 1, type=int), 1), _LAST_PAGE)
    found = queries.batches_at([place.id for place in mine], page)
    return render_template(
        "admin/treasury/batches.html",
        batches=found[: queries.PAGE_SIZE],
        has_next=len(found) > queries.PAGE_SIZE,
        page=page,
        places={place.id: place for place in mine},
        waiting={place.id: queries.waiting_count(place.id) for place in mine},
    )


@pages.post("/sceller")
def seal() -> Answer:
    """Seal what is over, without waiting for the night."""
    made = [batch for place in _mine() for batch in actions.seal(place, civil_day(db.now(), place.tz) - _ONE_DAY)]
    if made:
        said = ngettext("%(num)s batch is sealed.", "%(num)s batches are sealed.", len(made))
        flash(said, "success")
    else:
        flash(_("Nothing to seal: today’s movements wait until the day is over."), "info")
    return redirect(url_for(".batches"), 303)


_ONE_DAY = timedelta(days=1)


@pages.get("/<uuid:batch_id>")
def batch(batch_id: UUID) -> str:
    found = queries.batch_at([place.id for place in _mine()], batch_id) or abort(404)
    return render_template(
        "admin/treasury/batch.html",
        batch=found,
        lines=queries.lines_of(found.id),
        columns=layout.COLUMNS,
        place=db.session.get_one(Establishment, found.establishment_id),
    )


@pages.post("/<uuid:batch_id>/fichier")
def download(batch_id: UUID) -> Answer:
    """The file itself; taking it is written down, hence a POST."""
    try:
        found, content = actions.hand_over([place.id for place in _mine()], batch_id)
    except UnknownBatch:
        abort(404)
    answer = Response(content, mimetype="text/csv")
    answer.headers["Content-Type"] = "text/csv; charset=utf-8; header=present"
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.file_name}"'
    answer.headers["X-Content-SHA256"] = found.sha256
    return answer


def _mine() -> list[Establishment]:
    held = guards.establishments("billing")
    return [place for place in establishments.establishments() if place.id in held]

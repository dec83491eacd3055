"""Unusual accesses of the week, put to an auditor: what they were, in their words."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.forms_oversight import VERDICTS, JudgementForm
from auth import guards
from auth.oversight import actions, queries
from auth.oversight.actions import OwnAccess
from auth.oversight.models import UnusualAccess
from auth.oversight.rules import BY_CODE, RULES
from portal import db

unusual_pages = guards.staff(
    Blueprint("admin_unusual_accesses", __name__, url_prefix="/admin/acces-inhabituels", template_folder="templates"),
    right="audit",
)


@unusual_pages.get("")
def tray() -> str:
    """Those that wait, the oldest week first; then the last ones judged, and the rules."""
    ids = guards.establishments("audit")
    return render_template(
        "admin/oversight/unusual.html",
        waiting=queries.unusual(ids, waiting=True),
        judged=queries.unusual(ids, waiting=False, limit=30),
        rules=BY_CODE,
        every_rule=RULES,
        me=db.current_actor().account_id,
    )


@unusual_pages.route("/<uuid:access_id>", methods=["GET", "POST"])
def one(access_id: UUID) -> Response | tuple[str, int]:
    """One of them: why it is asked, whose files, and the judgement."""
    access: UnusualAccess = queries.one_unusual(guards.establishments("audit"), access_id) or abort(404)
    form = JudgementForm()
    if form.validate_on_submit():
        try:
            actions.judge(access, form.state.data, form.comment.data or "")
        except OwnAccess:
            abort(403)
        flash(_("Your judgement is kept."), "success")
        return redirect(url_for(".tray"), 303)
    page = render_template(
        "admin/oversight/unusual_one.html",
        form=form,
        access=access,
        rule=BY_CODE.get(access.rule),
        verdicts=VERDICTS,
        patients=queries.patients_of(access),
        is_mine=access.account_id == db.current_actor().account_id,
    )
    return page, 422 if form.errors else 200

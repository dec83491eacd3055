"""The security officer's page: what happened in thirty days, what waits, and whether the journal holds."""

from zoneinfo import ZoneInfo

from flask import Blueprint, render_template

from admin import queries_security
from auth import guards
from auth.oversight import queries as oversight
from portal import db, kpi
from portal.audit import sending, verifying
from portal.calendar import civil_day

security_pages = guards.staff(
    Blueprint("admin_security", __name__, url_prefix="/admin/veille-de-securite", template_folder="templates"),
    right="audit",
)


@security_pages.get("")
def overview() -> str:
    """Numbers alone: nobody is named here."""
    ids = guards.establishments("audit")
    today = civil_day(db.now(), ZoneInfo(kpi.GROUP_ZONE))
    with db.transaction(db.system("security.look")):
        counted = queries_security.counted(ids, today)
        facts = {
            "administrators": queries_security.proven(ids, "administration"),
            "everybody": queries_security.proven(ids),
            "waiting": queries_security.waiting(ids, today),
        }
    return render_template(
        "admin/oversight/security.html",
        **facts,
        sign_ins=counted[queries_security.SIGN_INS],
        refused=counted[queries_security.REFUSED],
        blocked=counted[queries_security.BLOCKED],
        emergencies=queries_security.audited("emergency.opened", ids),
        verified=next(iter(verifying.last()), None),
        collector=sending.collector(),
        lag=sending.lag() if sending.collector() else None,
        incidents=[(each, oversight.clock(each)) for each in oversight.incidents(ids, 5) if each.closed_at is None],
        now=db.now(),
    )

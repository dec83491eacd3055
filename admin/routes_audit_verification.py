"""Is the journal intact? The chain of sealed batches: verified every week, or now; and its heads, to copy outside."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from auth.oversight import actions
from portal.audit import sending, verifying

verification_pages = guards.staff(
    Blueprint(
        "admin_audit_verification", __name__, url_prefix="/admin/journal/verification", template_folder="templates"
    ),
    right="audit",
)


@verification_pages.get("")
def overview() -> str:
    """What was found the last times, the batch that does not hold, the last heads, and what the collector has."""
    found = verifying.last(10)
    broken = verifying.batch(found[0].broken_batch) if found and found[0].broken_batch else None
    return render_template(
        "admin/audit/verification.html",
        found=found,
        broken=broken,
        between=verifying.neighbours(broken) if broken else None,
        heads=verifying.heads(),
        collector=sending.collector(),
        lag=sending.lag() if sending.collector() else None,
    )


@verification_pages.post("/lancer")
def run() -> Response:
    """Verify now; the answer is on the page a little later."""
    actions.ask_for_verification(guards.establishments("audit"))
    flash(_("The journal is being verified. The answer is here in a moment: open this page again."), "success")
    return redirect(url_for(".overview"), 303)

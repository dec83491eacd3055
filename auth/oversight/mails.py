"""What those who watch over accesses are told: that something waits; never who, never whose file."""

from datetime import date

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message


@message("agents.chain_broken", "staff")
def chain_broken() -> Mail:
    """To every auditor of the group."""
    return Mail(
        _l("The audit’s chain does not hold"),
        (
            _l("The journal of accesses was recomputed, and a sealed part of it is not what it was."),
            _l("Somebody or something changed it in the database. Look at once, and keep the backups:"),
        ),
        "/admin/journal/verification",
    )


@message("agents.unusual_found", "staff")
def unusual_found(hospital: str, number: int) -> Mail:
    """To a hospital's auditors, on Monday."""
    return Mail(
        _l("Unusual accesses of the week"),
        (
            _l(
                "At %(hospital)s, unusual accesses of last week: %(number)s. They may have good reasons.",
                hospital=hospital,
                number=number,
            ),
            _l("Please look, and say what they were:"),
        ),
        "/admin/acces-inhabituels",
    )


@message("agents.review_opened", "staff", sample={"due_on": date(2026, 1, 5)})
def review_opened(hospital: str, due_on: date) -> Mail:
    """To a hospital's administrators."""
    return Mail(
        _l("Rights to confirm"),
        (
            _l("At %(hospital)s, every agent’s rights are to be confirmed or withdrawn.", hospital=hospital),
            _l("Please do it before %(day)s:", day=due_on.strftime("%d/%m/%Y")),
        ),
        "/admin/revues-des-droits",
    )


@message("agents.review_waits", "staff")
def review_waits(hospital: str, number: int) -> Mail:
    """To a hospital's administrators, when the day comes near or has passed."""
    return Mail(
        _l("Rights still to confirm"),
        (
            _l(
                "At %(hospital)s, rights of agents neither confirmed nor withdrawn: %(number)s.",
                hospital=hospital,
                number=number,
            ),
            _l("Please finish the review:"),
        ),
        "/admin/revues-des-droits",
    )

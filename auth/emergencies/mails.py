"""What is told of an emergency opening: that there was one. Never whose file, never why."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message


@message("agents.emergency_opened", "staff")
def opened(hospital: str, agent: str) -> Mail:
    """To those who watch over such openings."""
    return Mail(
        _l("A file was opened in an emergency"),
        (
            _l("At %(hospital)s, %(agent)s opened a file in an emergency.", hospital=hospital, agent=agent),
            _l("Please say whether it was justified:"),
        ),
        "/admin/urgence/revues",
    )


@message(
    "agents.emergency",
    "staff",
    each={"justified": {"justified": True}, "not_justified": {"justified": False}},
    which=lambda given: "justified" if given["justified"] else "not_justified",
)
def reviewed(*, justified: bool) -> Mail:
    """To the agent who opened it."""
    if justified:
        outcome = _l("An auditor looked at a file that you opened in an emergency, and found it justified.")
    else:
        outcome = _l(
            "An auditor looked at a file that you opened in an emergency, and did not find it justified."
            " They will speak to you about it."
        )
    return Mail(_l("Your emergency opening was looked at"), (outcome,), "/admin/urgence")

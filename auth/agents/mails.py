"""What agents are told by mail: never a right in detail, never a patient."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message

PROVIDER_NAMES = {
    "proconnect": "ProConnect",
    "prosanteconnect": "Pro Santé Connect",
    "hospital": _l("your hospital’s own sign-in"),
    "local": _l("an account of the portal"),
}
"""The doors of agents, as they know them."""
_OUTCOMES = {outcome: {"outcome": outcome} for outcome in ("confirmed", "refused")}


@message("agents.invited", "staff")
def invited(hospital: str, path: str) -> Mail:
    """The one-time link. path: the portal's address that it opens."""
    return Mail(
        _l("You are invited to the portal of %(hospital)s", hospital=hospital),
        (
            _l("An administrator of %(hospital)s invites you to work on its portal.", hospital=hospital),
            _l("This link works once, for three days, and only for you:"),
        ),
        path,
    )


@message("agents.invited_without_provider", "staff")
def invited_without_provider(hospital: str, path: str) -> Mail:
    """The link with which an agent whom no provider knows sets up how they will sign in."""
    return Mail(
        _l("You are invited to the portal of %(hospital)s", hospital=hospital),
        (
            _l("An administrator of %(hospital)s has opened an account for you on its portal.", hospital=hospital),
            _l("This link works once, for a day. You choose there how you will sign in:"),
        ),
        path,
    )


@message("agents.another_door", "staff")
def another_door(path: str) -> Mail:
    """The link that adds a way to sign in to the agent's own account."""
    return Mail(
        _l("Another way to sign in to the portal"),
        (
            _l("An administrator offers you another way to sign in to your account on the hospital’s portal."),
            _l("If you did not expect it, do not open the link, and tell your administrator."),
            _l("This link works once, for three days, and only for you:"),
        ),
        path,
    )


@message("agents.door_added", "staff")
def door_added(provider: str) -> Mail:
    """To the agent, after another way in was added."""
    return Mail(
        _l("A new way to sign in was added to your account"),
        (
            _l("You can now sign in to the hospital’s portal with %(provider)s too.", provider=provider),
            _l("If it was not you, tell your administrator at once."),
        ),
        "/admin/connexion",
    )


@message("agents.rights_changed", "staff")
def rights_changed(hospital: str) -> Mail:
    return Mail(
        _l("Your access to the portal has changed"),
        (_l("What you may do on the portal of %(hospital)s has changed.", hospital=hospital),),
        "/admin/",
    )


@message("agents.access_closed", "staff")
def access_closed(hospital: str) -> Mail:
    return Mail(
        _l("Your access to the portal has ended"),
        (
            _l("Your access to the portal of %(hospital)s has ended.", hospital=hospital),
            _l("If you still work there, ask an administrator for a new invitation."),
        ),
        "/admin/connexion",
    )


@message("agents.to_confirm", "staff")
def to_confirm(hospital: str) -> Mail:
    """To the other administrators, when one asks for a right that two must give."""
    return Mail(
        _l("A right waits for your confirmation"),
        (_l("At %(hospital)s, an administrator asks for a right that a second one must confirm.", hospital=hospital),),
        "/admin/agents/demandes",
    )


@message("agents.decided", "staff", each=_OUTCOMES, which=lambda given: given["outcome"])
def decided(hospital: str, outcome: str) -> Mail:
    """To whoever asked. outcome: confirmed | refused."""
    sentences = {
        "confirmed": _l("The right that you asked for at %(hospital)s was confirmed.", hospital=hospital),
        "refused": _l("The right that you asked for at %(hospital)s was refused.", hospital=hospital),
    }
    return Mail(_l("Your request for a right was answered"), (sentences[outcome],), "/admin/agents/demandes")


@message("agents.dormant", "staff")
def dormant(hospital: str, days: int) -> Mail:
    """To an agent who has not signed in for long. days: how many are left."""
    return Mail(
        _l("Sign in to keep your access to the portal"),
        (
            _l("You have not signed in to the portal of %(hospital)s for a long time.", hospital=hospital),
            _l("Without a sign-in within %(days)s days, your access will end.", days=days),
        ),
        "/admin/connexion",
    )

"""Messages to those who sign with a patient: neither the person, nor the stay, nor a service is named."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message, named


@message("preadmission.signature_asked", "anybody", at_hospital=True, only="fr")
def link(place: str, token: str) -> Mail:
    """To somebody who may have no account. place: the hospital, which the page behind the link names too."""
    return Mail(
        subject=_l("Your signature is asked for"),
        paragraphs=(
            _l("Hello,"),
            _l(
                "Somebody you know has given your name to %(place)s: a document waits for you to read it, and to sign"
                " it if you agree. The link works once, for seven days. You sign in with FranceConnect, as yourself.",
                place=place,
            ),
            _l("If this tells you nothing, do not follow the link: nothing happens."),
        ),
        path=path(token),
    )


def path(token: str) -> str:
    """The address of the page behind a link; `routes_public` has it too."""
    return f"/signature/{token}"


NEWS = named(
    "preadmission.signature_changed",
    Mail(
        subject=_l("Something changed in what you were asked to sign"),
        paragraphs=(
            _l("Hello,"),
            _l("A document that bears your name has changed. Sign in to read it."),
        ),
        path="/signatures",
    ),
    "anybody",
    at_hospital=True,
)

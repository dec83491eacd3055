"""Messages about exchanges, to the hospital: nothing of any patient is in them."""

from uuid import UUID

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message
from services.exchanges.models import Follower


class _Sample:
    """A system of nobody, for the list of messages."""

    id, name = UUID(int=0), "{name}"


@message("exchanges.given_up", "staff", sample={"follower": _Sample()}, values=lambda _given: {})
def given_up(follower: Follower) -> Mail:
    return Mail(
        subject=_l("A system no longer receives your appointments"),
        paragraphs=(
            _l("Hello,"),
            _l("“%(name)s” does not take what the portal tells it, and is not tried any more.", name=follower.name),
            _l("Nothing is lost: what happens meanwhile waits. An administrator can start it again here:"),
        ),
        path=f"/admin/echanges-agenda/abonnements/{follower.id}",
    )

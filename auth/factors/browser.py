"""What the pages of factors share: who is there, counted tries, passkeys of this portal, codes of a demonstration."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode
from uuid import UUID

from flask import current_app, redirect, request
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from auth import addresses, providers, sessions, tries
from auth.factors import actions, queries
from auth.factors.actions import CodeExpired, WrongCode
from auth.factors.passkeys import PasskeyCopied, PasskeyRefused, Site
from auth.hospital_providers import doors as hospital_doors
from auth.models import Account
from auth.sessions import SignedIn
from portal import db, text_messages
from portal.db import session

SENDS_AN_HOUR = 5

REFUSALS = (WrongCode, CodeExpired, PasskeyRefused, PasskeyCopied)


def current() -> SignedIn:
    """The session of this request; only on pages for the signed-in."""
    found = sessions.signed_in()
    if found is None:
        raise Forbidden
    return found


def me() -> Account:
    return session.get_one(Account, current().account_id)


def wanted() -> str:
    """The page to go on to, inside the portal, or nothing."""
    return addresses.inside(request.args.get("next", ""))


def site() -> Site:
    settings = current_app.config["SETTINGS"]
    return Site.of(settings.base_url, settings.portal_name)


def has_text_messages() -> bool:
    """Whether this installation can send text messages."""
    return text_messages.reach_people(current_app.config["SETTINGS"])


def elevated(kind: str, response: Response) -> Response:
    """The session has proven this factor: a new cookie goes with the answer."""
    sessions.set_cookie(response, sessions.elevate(kind))
    return response


def way_back_in(page: str) -> str:
    """Where the person proves again who they are at the provider of this session, then comes back to this page of
    ours; "" when that door is not there any more, or was never anybody's but ours."""
    name, audience = current().provider, db.current_actor().kind
    known = providers.door(name, "staff" if audience == "staff" and name == "prosanteconnect" else "")
    hospital, slash, finess = name.partition("/")
    door = hospital_doors.door(finess) if slash and hospital == "hospital" else known
    if door is None:
        return ""
    given = {"prompt": "login", "next": page, "audience": audience if door.name == "prosanteconnect" else ""}
    return f"{door.path}/start?{urlencode({key: value for key, value in given.items() if value})}"


def go_to(address: str) -> Response:
    return redirect(address, 303)


@contextmanager
def counted(account_id: UUID | None, kind: str, who: str = "") -> Iterator[None]:
    """A proof that is tried inside: counted before it is looked at, written down when it does not hold.

    Raises TooManyTries before anything is looked at. who: what was typed as a name, when nobody is known yet.
    """
    account = tries.of_account(account_id, "proof") if account_id else tries.of_name(who, "proof")
    network = tries.of_range(request.remote_addr or "", "proof")
    tries.spend(account, network)
    try:
        yield
    except REFUSALS as refused:
        with db.transaction(db.system("auth.factors")):
            actions.refuse(account_id, kind, copied=isinstance(refused, PasskeyCopied))
        raise
    tries.succeed(account, network)


def count_sending(account_id: UUID) -> None:
    """A text message costs money and wakes somebody up. Raises TooManyTries."""
    tries.spend(
        tries.of_account(account_id, "send", SENDS_AN_HOUR, tries.HOUR),
        tries.of_range(request.remote_addr or "", "send", 200, tries.HOUR),
    )


def shown_in_demonstration(kind: str) -> str:
    """What the message that was just sent says: a demonstration sends none, and shows it instead. Never elsewhere."""
    if current_app.config["SETTINGS"].env != "demo":
        return ""
    challenge = queries.open_code(current().session_id)
    return queries.what_was_sent(challenge)["code"] if challenge and challenge.kind == kind else ""

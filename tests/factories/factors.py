"""Second factors of fictional people, and what their devices answer."""

from typing import TYPE_CHECKING
from uuid import uuid4

import pyotp
from sqlalchemy import select

from auth.factors import codes, sealing
from auth.factors.models import Factor, RecoveryCode
from auth.models import Account, PatientAccess
from portal import db
from portal.db import session

if TYPE_CHECKING:
    from tests.factories.demonstration import World

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def application(account: Account, secret: str = SECRET) -> Factor:
    """An application that gives codes."""
    return _kept(account, "totp", "My application", {"secret": secret})


def telephone(account: Account, number: str = "+33639980002") -> Factor:
    """A mobile that receives codes."""
    return _kept(account, "sms", codes.masked_number(number), {"to": number})


def former_sheet(account: Account, *made: str) -> None:
    """Recovery codes as they were kept before they were hashed."""
    for code in made:
        digest = sealing.digest("recovery", account.id, codes.letters_of(code))
        session.add(RecoveryCode(id=uuid4(), account_id=account.id, digest=digest))
    session.flush()


def code_of(secret: str = SECRET, step: int = 0) -> str:
    """What the application shows now, or some steps of thirty seconds earlier or later."""
    return pyotp.TOTP(secret).at(int(db.now().timestamp()) + 30 * step)


def _kept(account: Account, kind: str, label: str, what: dict[str, str]) -> Factor:
    made = Factor(id=uuid4(), account_id=account.id, kind=kind, label=label, sealed=sealing.seal("factor", what))
    session.add(made)
    session.flush()
    return made


def demonstrate(world: "World") -> None:
    """Suzanne, who signs in with a password alone, receives codes on her mobile; Yacine has nothing yet, and is asked
    to choose."""
    access = session.scalars(
        select(PatientAccess).where(
            PatientAccess.patient_id == world.patients["suzanne"].id, PatientAccess.relation == "self"
        )
    ).one()
    telephone(session.get_one(Account, access.account_id), world.patients["suzanne"].mobile)

"""How recovery codes are kept: Argon2id with a salt of their own (RFC 9106), sealed under the file keys.

Forty bits on paper are too few for a plain digest. Codes made before that are keyed digests of 32 bytes
(`sealing.digest`): they serve until their owner makes new ones.
"""

import os
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from sqlalchemy import ColumnElement, SQLColumnExpression, func, select, update

from auth.factors import codes, sealing
from auth.factors.models import RecoveryCode
from auth.factors.sealing import Unsealable
from portal import db
from portal.db import session

_MEMORY_KIB: Final = 19_456
_PASSES: Final = 2
"""With one lane: the first setting that OWASP's password storage cheat sheet gives for Argon2id."""
_PURPOSE: Final = "recovery code"
_FORMER_BYTES: Final = 32


def kept(code: str) -> bytes:
    """What the database holds of a code."""
    hashing = Argon2id(salt=os.urandom(16), length=32, iterations=_PASSES, lanes=1, memory_cost=_MEMORY_KIB)
    return sealing.seal(_PURPOSE, {"hash": hashing.derive_phc_encoded(_bytes(code))})


def is_sealed(stored: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """Whether what is stored was made this way: the others are keyed digests, which depend on the portal's secret."""
    return func.length(stored) > _FORMER_BYTES


def spend(account_id: UUID, code: str) -> bool:
    """Whether it is one of the account's codes; then it has served. Takes a second when it is none of them."""
    mine = RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None)
    slow = is_sealed(RecoveryCode.digest)
    found = session.execute(select(RecoveryCode.id, RecoveryCode.digest).where(*mine, slow)).all()
    code_id = _matching([(row.id, row.digest) for row in found], code)
    # The same code in two tabs at once: the database lets one of them through.
    used = update(RecoveryCode).where(*mine, RecoveryCode.id == code_id).values(used_at=db.now())
    return code_id is not None and session.scalar(used.returning(RecoveryCode.id)) is not None


def _matching(found: Sequence[tuple[UUID, bytes]], code: str) -> UUID | None:
    return next((code_id for code_id, sealed in found if _is(sealed, code)), None)


def _is(sealed: bytes, code: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(_bytes(code), str(sealing.unseal(_PURPOSE, sealed)["hash"]))
    except (InvalidKey, Unsealable):
        return False
    return True


def _bytes(code: str) -> bytes:
    return codes.letters_of(code).encode()

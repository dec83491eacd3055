"""The code that a terminal reads: 32 letters that hide which appointment it is, without any row behind them.

It is the appointment's id, enciphered: one block of AES under a key of the portal's secret. Whoever has no key can
neither read it nor make one: of the 2¹²⁸ codes, one in 2¹²² names an appointment. The letters are those that keyboards
of all countries have in the same place and that need no shift: a scanner that takes itself for an American keyboard
still types them right.
"""

import re
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from auth.identity import sealing
from services.appointments.models import REFERENCE_ALPHABET, REFERENCE_LENGTH

LETTERS: Final = "BCDFGHJKLNPRSTVX"
_PURPOSE: Final = "arrival code"
_CODE: Final = re.compile(rf"[{LETTERS}]{{32}}", re.ASCII)
_REFERENCE: Final = re.compile(rf"[{REFERENCE_ALPHABET}]{{{REFERENCE_LENGTH}}}", re.ASCII)
_TO_HEX: Final = str.maketrans(LETTERS, "0123456789abcdef")
_FROM_HEX: Final = str.maketrans("0123456789abcdef", LETTERS)
_BETWEEN: Final = re.compile(r"[\s.\-–—_/]")


class NotACode(ValueError):
    """Neither what a page shows nor a reference."""


def code_of(appointment_id: UUID) -> str:
    """The 32 letters of an appointment."""
    # One block and nothing else, never twice the same one: the mode has nothing to chain.
    cipher = Cipher(AES(_keys()[0]), ECB()).encryptor()  # noqa: S305
    return (cipher.update(appointment_id.bytes) + cipher.finalize()).hex().translate(_FROM_HEX)


def read(typed: str) -> tuple[UUID, ...] | str:
    """An appointment's id, from what was scanned, under each of the portal's secrets: one of them is it. Or a
    reference, as it was typed. Raises NotACode."""
    text = _BETWEEN.sub("", typed).upper()
    if _REFERENCE.fullmatch(text):
        return text
    if not _CODE.fullmatch(text):
        raise NotACode
    return tuple(_deciphered(key, bytes.fromhex(text.translate(_TO_HEX))) for key in _keys())


def _deciphered(key: bytes, block: bytes) -> UUID:
    cipher = Cipher(AES(key), ECB()).decryptor()  # noqa: S305
    return UUID(bytes=cipher.update(block) + cipher.finalize())


def _keys() -> tuple[bytes, ...]:
    return sealing.digests(_PURPOSE, "key")

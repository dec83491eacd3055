"""What people read about pieces: kinds, states, why one is refused, why a file is not taken."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from portal import file_sniffing, files
from portal.file_sniffing import FileRefused

ACCEPTED_FILES = ".pdf,.jpg,.jpeg,.png"

KINDS: Mapping[str, Any] = {
    "identity": _l("Identity document"),
    "health_card": _l("Carte Vitale or certificate of rights"),
    "top_up_card": _l("Complementary insurance card"),
}
SHORT_KINDS: Mapping[str, Any] = {
    "identity": _l("Identity"),
    "health_card": _l("Vitale"),
    "top_up_card": _l("Mutuelle"),
}
"""For the agent's dense list."""
ADVICE: Mapping[str, Any] = {
    "identity": _l("Identity card (both sides), passport or residence permit, still valid. A sharp photo is enough."),
    "health_card": _l("A photo of your carte Vitale, or the certificate from your ameli or MSA account."),
    "top_up_card": _l("Both sides of your mutuelle card, or your C2S certificate."),
}
STATES: Mapping[str, tuple[Any, str]] = {
    "awaited": (_l("To send"), "neutral"),
    "scanning": (_l("Being checked"), "info"),
    "deposited": (_l("Sent"), "info"),
    "infected": (_l("File with a virus"), "danger"),
    "accepted": (_l("Accepted"), "success"),
    "refused": (_l("To send again"), "warning"),
    "waived": (_l("To show on the day"), "success"),
}
"""State → words and tone of its tag, as the patient and the agent read it."""

REASONS: Mapping[str, tuple[Any, Any]] = {
    "unreadable": (
        _l("Unreadable"),
        _l("We cannot read it: it is blurred, cut or too dark. Take the photo again, flat and in good light."),
    ),
    "side_missing": (_l("A side is missing"), _l("One side is missing: send the front and the back.")),
    "out_of_date": (_l("Out of date"), _l("It is no longer valid: send one that is still valid.")),
    "other_person": (
        _l("Another person's"),
        _l("It is in another person's name: send the document of the person who is coming to the hospital."),
    ),
    "wrong_document": (_l("Wrong document"), _l("It is not the document we asked for.")),
    "rights_not_current": (
        _l("Rights not up to date"),
        _l("Your rights are not up to date: ask your health insurance fund for a new certificate."),
    ),
    "name_differs": (
        _l("Name differs from identity"),
        _l("The name on it is not the one of your identity. Send a document in the same name, or call us."),
    ),
    "file_locked": (
        _l("Protected or broken file"),
        _l("The file is protected or does not open: send it again without a password, or as a photo."),
    ),
    "duplicate": (_l("Duplicate"), _l("It is the same file as another one you sent.")),
}
"""Reason → words for the agent's list, words for the patient."""

_REFUSED: tuple[tuple[type[FileRefused], Any], ...] = (
    (files.FileInfected, _l("This file holds a virus. We did not keep it: send another one, or a photo.")),
    (files.FileTooLarge, _l("This file is over 20 MB. Take the photo in a lower quality, or send a lighter PDF.")),
    (file_sniffing.FileEmpty, _l("This file is empty. Choose it again, or send another one.")),
    (
        file_sniffing.PhotoFormatRefused,
        _l("We cannot open this photo (HEIC). On the telephone, choose the “most compatible” format, which is JPEG."),
    ),
    (file_sniffing.FileTypeLies, _l("The name of this file does not match what is in it. Send the original file.")),
    (file_sniffing.FileTypeRefused, _l("We only take photos (JPEG or PNG) and PDF documents.")),
    (file_sniffing.FileLocked, _l("This PDF has a password. Send it without a password, or as a photo.")),
    (file_sniffing.FileDamaged, _l("This file does not open: it is cut or broken. Send it again.")),
    (file_sniffing.TooManyPages, _l("This document has too many pages. Send only the ones we ask for.")),
    (file_sniffing.ImageTooLarge, _l("This photo is too large. Take it again in a lower quality.")),
)


def words_for(refused: FileRefused) -> Any:
    """Why a file was refused and what to do, in the person's words."""
    return next((words for kind, words in _REFUSED if isinstance(refused, kind)), _l("We cannot take this file."))

"""What people read about pieces: kinds, states, why one is refused, why a file is not taken."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from portal import file_sniffing, files
from portal.file_sniffing import FileRefused

ACCEPTED_FILES = "image/*,.pdf,.heic,.heif"
"""What the browser proposes: `image/*` makes a telephone offer its camera."""

KINDS: Mapping[str, Any] = {
    "identity": _l("Identity document"),
    "address_proof": _l("Proof of address"),
    "health_card": _l("Carte Vitale or certificate of rights"),
    "top_up_card": _l("Complementary insurance card"),
    "insurer_agreement": _l("Your mutuelle’s agreement for the room"),
    "c2s": _l("C2S certificate"),
    "ame": _l("AME card or certificate"),
    "work_accident": _l("Work accident form"),
    "maternity_booklet": _l("Maternity booklet"),
    "family_book": _l("Livret de famille"),
    "birth_recognition": _l("Early recognition of the child"),
    "european_card": _l("European health insurance card"),
    "care_form": _l("Form for care in France"),
    "payment_guarantee": _l("Payment guarantee"),
    "military_booklet": _l("Military pension booklet"),
    "protection_judgement": _l("Judgement of legal protection"),
    "protector_identity": _l("Identity document of the guardian"),
    "parent_identity": _l("Identity document of the parents"),
    "parental_authority": _l("Proof of sole parental authority"),
    "operating_consent": _l("Authorisation to operate"),
    "prescription": _l("Prescription"),
    "referral_letter": _l("Letter from your doctor"),
    "advance_directives": _l("Advance directives"),
    "trusted_person_form": _l("Person of trust form"),
    "health_document": _l("Health document"),
    "other": _l("Other document"),
}
SHORT_KINDS: Mapping[str, Any] = {
    "identity": _l("Identity"),
    "address_proof": _l("Address"),
    "health_card": _l("Vitale"),
    "top_up_card": _l("Mutuelle"),
    "insurer_agreement": _l("Room agreement"),
    "c2s": _l("C2S"),
    "ame": _l("AME"),
    "work_accident": _l("Work accident"),
    "maternity_booklet": _l("Maternity"),
    "family_book": _l("Family"),
    "birth_recognition": _l("Recognition"),
    "european_card": _l("European card"),
    "care_form": _l("S2, SE 352"),
    "payment_guarantee": _l("Guarantee"),
    "military_booklet": _l("Military"),
    "protection_judgement": _l("Judgement"),
    "protector_identity": _l("Guardian"),
    "parent_identity": _l("Parents"),
    "parental_authority": _l("Authority"),
    "operating_consent": _l("Operation"),
    "prescription": _l("Prescription"),
    "referral_letter": _l("Letter"),
    "advance_directives": _l("Directives"),
    "trusted_person_form": _l("Trust"),
    "health_document": _l("Health document"),
    "other": _l("Other"),
}
"""For the agent's dense list."""
ADVICE: Mapping[str, Any] = {
    "identity": _l("Identity card (both sides), passport or residence permit, still valid. A sharp photo is enough."),
    "address_proof": _l("A bill for electricity, water or telephone, or a rent receipt, less than three months old."),
    "health_card": _l("A photo of your carte Vitale, or the certificate from your ameli or MSA account."),
    "top_up_card": _l("Both sides of your mutuelle card, or your C2S certificate."),
    "insurer_agreement": _l("Ask your mutuelle for it: it says what they pay for a single room. They send a PDF."),
    "c2s": _l("The certificate of Complémentaire santé solidaire, from your ameli account, still valid."),
    "ame": _l("Both sides of your State medical aid card (AME), or the certificate that came with it."),
    "work_accident": _l("The form your employer gave you (feuille d’accident du travail), or part 2 of your doctor’s."),
    "maternity_booklet": _l("The pages of your maternity booklet that are filled in, one photo for each."),
    "family_book": _l("The pages of the parents and of the child. A full birth certificate will do as well."),
    "birth_recognition": _l("The certificate the town hall gave you when the child was recognised before the birth."),
    "european_card": _l("Your European card (CEAM) or the certificate that stands in for it, still valid."),
    "care_form": _l("Form S2 or E112 from your own insurance, or form SE 352 if you are insured in Algeria."),
    "payment_guarantee": _l("The signed quote, the proof of your deposit, or your insurer’s guarantee."),
    "military_booklet": _l("The booklet of free care of article L115, with the page that bears your name."),
    "protection_judgement": _l("All the pages of the judgement that is in force (guardianship, family habilitation…)."),
    "protector_identity": _l("Identity card (both sides) or professional card of the person who protects you."),
    "parent_identity": _l("Both sides of the identity card, or the passport, of each parent with parental authority."),
    "parental_authority": _l(
        "A judgement, a death certificate, or the birth certificate if one parent alone is named."
    ),
    "operating_consent": _l(
        "The form the hospital gave you, signed by both parents. Write the date next to each name."
    ),
    "prescription": _l("The prescription for this stay or this examination, whole and readable."),
    "referral_letter": _l("The letter your doctor gave you for the hospital. Only the care team reads it."),
    "advance_directives": _l("Never compulsory. A copy of the pages you have signed. Only the care team reads it."),
    "trusted_person_form": _l("The form signed by you and by the person you trust."),
    "health_document": _l("A letter, a prescription or a result from elsewhere. Only the care team reads it."),
    "other": _l("The document the hospital asked you for."),
}
STATES: Mapping[str, tuple[Any, str]] = {
    "awaited": (_l("To send"), "neutral"),
    "scanning": (_l("Being checked"), "info"),
    "deposited": (_l("Sent"), "info"),
    "infected": (_l("File with a virus"), "danger"),
    "accepted": (_l("Accepted"), "success"),
    "refused": (_l("To send again"), "warning"),
    "waived": (_l("To show on the day"), "success"),
    "expired": (_l("No longer valid"), "warning"),
    "withdrawn": (_l("No longer asked"), "neutral"),
    "purged": (_l("Erased"), "neutral"),
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
    (files.FileTooLarge, _l("This file is over 25 MB. Take the photo in a lower quality, or send a lighter PDF.")),
    (file_sniffing.FileEmpty, _l("This file is empty. Choose it again, or send another one.")),
    (
        file_sniffing.PhotoFormatRefused,
        _l("We cannot open this photo (HEIC). On the telephone, choose the “most compatible” format, which is JPEG."),
    ),
    (file_sniffing.FileTypeLies, _l("The name of this file does not match what is in it. Send the original file.")),
    (file_sniffing.FileTypeRefused, _l("We only take photos (JPEG, PNG, HEIC) and PDF documents.")),
    (file_sniffing.FileLocked, _l("This PDF has a password. Send it without a password, or as a photo.")),
    (file_sniffing.FileDamaged, _l("This file does not open: it is cut or broken. Send it again.")),
    (file_sniffing.TooManyPages, _l("This document has too many pages. Send only the ones we ask for.")),
    (file_sniffing.ImageTooLarge, _l("This photo is too large. Take it again in a lower quality.")),
)


def words_for(refused: FileRefused) -> Any:
    """Why a file was refused and what to do, in the person's words."""
    return next((words for kind, words in _REFUSED if isinstance(refused, kind)), _l("We cannot take this file."))

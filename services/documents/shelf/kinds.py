"""Kinds of documents as patients tell them apart, from the national type (JDV_J07). Pure."""

from typing import Final

KINDS: Final = ("letter", "prescription", "result", "imaging", "certificate", "other")
"""In the order of the filters."""

_BY_CODE: Final = {
    "57833-6": "prescription",
    "11502-2": "result",  # medical biology
    "11526-1": "result",  # pathology
    "18725-2": "result",  # microbiology
    "18748-4": "imaging",
    "51851-4": "certificate",  # administrative document
    "59284-0": "certificate",  # proof of consent
}


def in_full(label: str) -> str:
    """A national type as patients read it: JDV_J07 shortens "compte rendu" to "CR", and writes straight apostrophes."""
    words = "Compte rendu" + label[2:] if label.startswith("CR ") else label
    return words.replace("'", "’")


def kind_of(type_code: str) -> str:
    """The kind of a national type; a type that is not listed is a letter, and no type at all is anything."""
    if type_code.startswith("PRESC-"):
        return "prescription"
    return _BY_CODE.get(type_code, "letter" if type_code else "other")

"""Every language says everything, and fills in the same facts: no message is left in the language of the code."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from portal.web.i18n import LANGUAGES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What the code says, collected as `make translations` does."""
    template = tmp_path_factory.mktemp("words") / "messages.pot"
    command = ["-q", "extract", "-F", "babel.cfg", "-k", "_l", "-k", "lazy_gettext", "-o", str(template), "."]
    subprocess.run([str(Path(sys.executable).parent / "pybabel"), *command], cwd=ROOT, check=True, capture_output=True)
    with template.open("rb") as file:
        return read_po(file)


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_every_message_is_translated(messages: Catalog, language: str) -> None:
    with (ROOT / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        known = read_po(file, locale=language)
    missing = [message.id for message in messages if message.id and not _is_said(known, message.id, message.context)]
    assert not missing, f"{len(missing)} messages without {language}: {missing[:10]}"


def _is_said(known: Catalog, identifier: str | tuple[str, ...], context: str | None) -> bool:
    found = known.get(identifier, context)
    if found is None:
        return False
    return all(found.string) if isinstance(found.string, tuple | list) else bool(found.string)


_FACTS = re.compile(r"%\((\w+)\)")


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_a_translation_asks_for_no_fact_that_the_code_does_not_give(language: str) -> None:
    """It would fail on the very page that says it. A form of the plural may leave the number out (« un jour »)."""
    with (ROOT / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        known = read_po(file, locale=language)
    wrong = [said for message in known if message.id for said in _misfits(_forms(message.id), _forms(message.string))]
    assert not wrong, wrong[:10]


def _misfits(said: tuple[str, ...], translated: tuple[str, ...]) -> list[str]:
    given = set(_FACTS.findall(" ".join(said)))
    asked = given if len(said) == 1 else set()
    return [each for each in translated if each and not asked <= set(_FACTS.findall(each)) <= given]


def _forms(text: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)

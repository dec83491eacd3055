"""All the texts of a questionnaire in one language, beside its own. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from services.questionnaires.definition.editing import checked
from services.questionnaires.definition.items import Definition, Item, Option, Words


@dataclass(frozen=True)
class Text:
    """One text to translate. key: where it stands; kind: of its item, "title", or "option"."""

    key: str
    kind: str
    words: Words


def texts(definition: Definition) -> list[Text]:
    """In the order they are read."""
    return [Text("title", "title", definition.title), *_of_items(definition)]


def _of_items(definition: Definition) -> Iterator[Text]:
    for item in definition.walk():
        yield Text(item.link_id, item.kind, item.words)
        for option in item.options:
            yield Text(_key(item, option), "option", option.words)


def _key(item: Item, option: Option) -> str:
    """A space is in no linkId."""
    return f"{item.link_id} {option.coding.system} {option.coding.code}"


def done(definition: Definition, language: str) -> tuple[int, int]:
    """How many texts are in this language, and how many there are."""
    every = texts(definition)
    return sum(1 for each in every if each.words.translations.get(language)), len(every)


def translated(definition: Definition, language: str, said: Mapping[str, str]) -> Definition:
    """With these words in that language (key → text, "" for none); a text that is not named keeps what it had.

    Raises Unreadable: a text is too long, or has signs that cannot be shown.
    """

    def of(key: str, words: Words) -> Words:
        text = said.get(key, words.translations.get(language, "")).strip()
        others = {name: each for name, each in words.translations.items() if name != language}
        return Words(words.text, {**others, language: text} if text else others)

    def enter(item: Item) -> Item:
        options = tuple(replace(each, words=of(_key(item, each), each.words)) for each in item.options)
        inside = tuple(enter(each) for each in item.items)
        return replace(item, words=of(item.link_id, item.words), options=options, items=inside)

    items = tuple(enter(each) for each in definition.items)
    return checked(replace(definition, title=of("title", definition.title), items=items))

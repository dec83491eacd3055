"""What changed from one version of a questionnaire to another, item by item, as facts that the screens put in words.
Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from services.questionnaires.definition.items import Definition, Item, Option, Words

_FACTS: Final = ("kind", "required", "repeats", "max_length", "lowest", "highest", "unit", "alert")


@dataclass(frozen=True)
class Change:
    """One thing that changed. what: a code (`CODES`). item: as it is now, or as it was when it was removed; None for
    the whole. before, after: of what changed; about: the language of a translation, or the words of a choice."""

    what: str
    item: Item | None = None
    before: Any = None
    after: Any = None
    about: str = ""


CODES: Final = frozenset((
    "title", "description", "minutes", "added", "removed", "moved", "text", "translation", "option_added",
    "option_removed", "option_text", "option_alert", "options_order", "conditions", *_FACTS,
))  # fmt: skip


def between(former: Definition, latter: Definition) -> list[Change]:
    """In the order of the latter; what was removed comes last. Nothing when they ask the same in the same words."""
    return [*_whole(former, latter), *_items(former, latter)]


def _whole(former: Definition, latter: Definition) -> Iterator[Change]:
    yield from _words("title", None, former.title, latter.title)
    if former.description != latter.description:
        yield Change("description", None, former.description, latter.description)
    if former.minutes != latter.minutes:
        yield Change("minutes", None, former.minutes, latter.minutes)


def _items(former: Definition, latter: Definition) -> Iterator[Change]:
    known = {each.link_id: each for each in former.walk()}
    moved = _moved(former, latter)
    for item in latter.walk():
        was = known.pop(item.link_id, None)
        if was is None:
            yield Change("added", item)
            continue
        if item.link_id in moved:
            yield Change("moved", item)
        yield from _item(was, item)
    for gone in known.values():
        yield Change("removed", gone)


def _moved(former: Definition, latter: Definition) -> set[str]:
    """Those that are in another section, or that others of both versions no longer follow."""
    before, after = _sections(former), _sections(latter)
    common = [link_id for link_id in after if link_id in before]
    order = [link_id for link_id in before if link_id in after]
    matcher = SequenceMatcher(None, order, common, autojunk=False)
    still = {link_id for block in matcher.get_matching_blocks() for link_id in common[block.b : block.b + block.size]}
    return {link_id for link_id in common if link_id not in still or before[link_id] != after[link_id]}


def _sections(definition: Definition) -> Mapping[str, str]:
    """linkId → the linkId of what holds it, "" at the top; in the order they are asked."""
    found: dict[str, str] = {}

    def enter(items: tuple[Item, ...], within: str) -> None:
        for each in items:
            found[each.link_id] = within
            enter(each.items, each.link_id)

    enter(definition.items, "")
    return found


def _item(was: Item, item: Item) -> Iterator[Change]:
    yield from _words("text", item, was.words, item.words)
    for name in _FACTS:
        if getattr(was, name) != getattr(item, name):
            yield Change(name, item, getattr(was, name), getattr(item, name))
    yield from _options(was, item)
    # How several conditions are joined says nothing of one alone.
    joined = max(len(was.conditions), len(item.conditions)) > 1 and was.every != item.every
    if was.conditions != item.conditions or joined:
        yield Change("conditions", item, was, item)


def _words(what: str, item: Item | None, was: Words, now: Words) -> Iterator[Change]:
    if was.text != now.text:
        yield Change(what, item, was.text, now.text)
    for language in sorted({*was.translations, *now.translations}):
        before, after = was.translations.get(language, ""), now.translations.get(language, "")
        if before != after:
            yield Change("translation", item, before, after, language)


def _options(was: Item, item: Item) -> Iterator[Change]:
    known = {each.coding: each for each in was.options}
    for option in item.options:
        former = known.pop(option.coding, None)
        if former is None:
            yield Change("option_added", item, about=option.words.text)
        else:
            yield from _option(item, former, option)
    for gone in known.values():
        yield Change("option_removed", item, about=gone.words.text)
    before = [each.coding for each in was.options if each.coding in {one.coding for one in item.options}]
    after = [each.coding for each in item.options if each.coding in {one.coding for one in was.options}]
    if before != after:
        yield Change("options_order", item)


def _option(item: Item, was: Option, now: Option) -> Iterator[Change]:
    for change in _words("option_text", item, was.words, now.words):
        yield Change(change.what, item, change.before, change.after, change.about or now.words.text)
    if was.is_alert != now.is_alert:
        yield Change("option_alert", item, was.is_alert, now.is_alert, now.words.text)

"""What the editor's buttons do: each gives another definition, checked as an imported one is."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from services.questionnaires.definition.items import GROUP, Definition, Item
from services.questionnaires.definition.parsing import read
from services.questionnaires.definition.writing import write

Items = tuple[Item, ...]


class NoSuchItem(Exception):
    """The questionnaire has no item of this linkId, any more."""


def checked(definition: Definition, *, draft: bool = True) -> Definition:
    """The same definition. Raises Unreadable: a rule is broken."""
    return read(write(definition), draft=draft)


def new_link_id(definition: Definition, kind: str) -> str:
    """The first free one: s1, s2… for sections, q1, q2… for the rest."""
    return _free({each.link_id for each in definition.walk()}, kind)


def _free(taken: Collection[str], kind: str) -> str:
    letter = "s" if kind == GROUP else "q"
    return next(made for n in range(1, len(taken) + 2) if (made := f"{letter}{n}") not in taken)


def add(definition: Definition, item: Item, within: str = "") -> Definition:
    """At the end of a section, or of the questionnaire. Raises NoSuchItem, Unreadable."""
    if not within:
        return checked(replace(definition, items=(*definition.items, item)))
    return _change(definition, within, lambda found: (replace(found, items=(*found.items, item)),))


def change(definition: Definition, link_id: str, to: Item) -> Definition:
    """Another item in its place, with what is inside it. Raises NoSuchItem, Unreadable."""
    return _change(definition, link_id, lambda found: (replace(to, link_id=link_id, items=found.items),))


def remove(definition: Definition, link_id: str) -> Definition:
    """Without it and what is inside it. Raises NoSuchItem, Unreadable (another question is shown according to it)."""
    return _change(definition, link_id, lambda _found: ())


def duplicate(definition: Definition, link_id: str) -> tuple[Definition, str]:
    """A copy just after it, with what is inside it under new linkIds; conditions among the copied follow the copies.
    Returns the linkId of the copy too. Raises NoSuchItem, Unreadable (there are too many)."""
    found = definition.item(link_id)
    if found is None:
        raise NoSuchItem(link_id)
    taken = {each.link_id for each in definition.walk()}
    names: dict[str, str] = {}
    for each in found.walk():
        names[each.link_id] = _free(taken, each.kind)
        taken.add(names[each.link_id])
    return _change(definition, link_id, lambda former: (former, _renamed(former, names))), names[link_id]


def _renamed(item: Item, names: Mapping[str, str]) -> Item:
    conditions = (replace(each, question=names.get(each.question, each.question)) for each in item.conditions)
    inside = tuple(_renamed(each, names) for each in item.items)
    return replace(item, link_id=names[item.link_id], conditions=tuple(conditions), items=inside)


def move(definition: Definition, link_id: str, step: int) -> Definition:
    """Before the former one (-1) or after the next one (1) of its section; at an end, nothing moves.

    Raises NoSuchItem, Unreadable (it would be asked before what it depends on).
    """
    if definition.item(link_id) is None:
        raise NoSuchItem(link_id)
    return checked(replace(definition, items=_moved(definition.items, link_id, step)))


def _moved(items: Items, link_id: str, step: int) -> Items:
    keys = [each.link_id for each in items]
    if link_id not in keys:
        return tuple(replace(each, items=_moved(each.items, link_id, step)) for each in items)
    here = keys.index(link_id)
    there = min(max(here + step, 0), len(items) - 1)
    found = list(items)
    found.insert(there, found.pop(here))
    return tuple(found)


def _change(definition: Definition, link_id: str, by: Callable[[Item], Items]) -> Definition:
    if definition.item(link_id) is None:
        raise NoSuchItem(link_id)
    return checked(replace(definition, items=_changed(definition.items, link_id, by)))


def _changed(items: Items, link_id: str, by: Callable[[Item], Items]) -> Items:
    found: list[Item] = []
    for each in items:
        if each.link_id == link_id:
            found += by(each)
        else:
            found.append(replace(each, items=_changed(each.items, link_id, by)))
    return tuple(found)

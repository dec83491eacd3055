"""Who gets in, by each address, with objects that exist: their owner first, then everybody who is not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from auth import guards
from portal import db
from tests.security.access import forms, objects
from tests.security.access.cast import (
    BARE,
    FORMER,
    GROUP,
    LOST,
    MACHINES,
    NORTH,
    PATIENTS,
    PROFESSIONALS,
    SOUTH,
    VISITOR,
    Cast,
    elsewhere,
)
from tests.security.access.objects import Sample

DOORS = ("/connexion", "/pro/connexion", "/admin/connexion", "/mon-compte/mandats/terminee", "/factures/payer")
LEAVING = {"billing_letters.leave"}
"""Forgets the way in, and goes back to the door."""
TRIED = 20
"""How many of somebody's objects are tried before we say that this address has nothing for them."""
OWNERS = {
    "patient": PATIENTS, "professional": PROFESSIONALS, "staff": (NORTH, SOUTH, GROUP), "machines": MACHINES,
    guards.SIGNED_IN: (*PATIENTS, *PROFESSIONALS[:2], NORTH),
    "public": (VISITOR, PATIENTS[0]),
}  # fmt: skip
"""guard's audience → whose objects are asked for. That a guard refuses whoever is of another audience, or lacks its
right everywhere, is for `tests/architecture/test_routes.py`: a guard looks at no object."""


@dataclass
class Seen:
    """What one route answered to one method. let_in: for one object, its owner and then who else got in. crossed: who
    got in with the objects of two owners in one address."""

    rule: Rule
    method: str
    let_in: list[tuple[str, ...]] = field(default_factory=list)
    resource: bytes = b""
    crossed: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    """Answers that said another's name."""
    crashes: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Answers to somebody that a browser or a proxy might keep."""
    strayed: list[str] = field(default_factory=list)
    """Answers that led to another site."""
    changed: list[str] = field(default_factory=list)
    """Refusals after which something was written."""

    @property
    def line(self) -> str:
        who = " | ".join(" ".join(each) for each in self.let_in) or "nobody"
        return f"{self.method} {self.rule.rule} ({self.rule.endpoint}): {who}"


@dataclass
class Observer:
    """Asks every route, as everybody. count: requests made."""

    app: Flask
    cast: Cast
    count: int = 0
    sendable: dict[str, forms.Form] = field(default_factory=dict)
    """endpoint of what is sent → one form of a page that its owner had open."""

    def __post_init__(self) -> None:
        world = self.cast.world
        north, south = world.north.establishment.id, world.south.establishment.id
        self.own: dict[str, set[UUID]] = {name: {account} for name, account in self.cast.accounts.items()}
        for name in PATIENTS:
            self.own[name].add(world.patients[name].id)
        for name in PROFESSIONALS:
            self.own[name].add(world.professionals[name].id)
        for name, hospital in ((NORTH, north), (MACHINES[0], north), (SOUTH, south), (MACHINES[1], south)):
            self.own.setdefault(name, set()).add(hospital)
        self.names = {name: world.patients[name].birth_name for name in PATIENTS}
        self.adapter = self.app.url_map.bind("127.0.0.1")
        self._seen: dict[str, list[Seen]] = {}

    def of(self, guard: str) -> list[Seen]:
        """Every route under this guard; asked once."""
        if guard not in self._seen:
            self._seen[guard] = list(self._ask_all(guard))
        return self._seen[guard]

    def _ask_all(self, guard: str) -> Iterator[Seen]:
        for rule in sorted(self.app.url_map.iter_rules(), key=lambda each: each.rule):
            if rule.endpoint == "static" or guard_of(self.app, rule) != guard:
                continue
            with db.transaction(db.system("tests")):
                known = objects.samples(rule)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield self._one(rule, method, known, guard)

    def _one(self, rule: Rule, method: str, known: Sequence[Sample], guard: str) -> Seen:
        seen, first = Seen(rule, method), None
        for owner in OWNERS[guard.partition(":")[0]]:
            if self._is_enough(owner, seen):
                break
            sample = next((each for each in self._tried(owner, known) if self._gets_in(owner, seen, each)), None)
            if sample is None:
                continue
            strangers = strangers_of(guard, owner) if rule._converters and owner != VISITOR else ()
            seen.let_in.append((owner, *(each for each in strangers if self._gets_in(each, seen, sample))))
            if first is not None:
                self._cross(seen, first, sample, known, (seen.let_in[0][0], owner))
            first = first or sample
        return seen

    @staticmethod
    def _is_enough(owner: str, seen: Seen) -> bool:
        """Two owners of two objects, or one of what names no object."""
        known = seen.let_in
        return bool(known) and (
            len(known) == 2 or owner == GROUP or owner in known[0] or not seen.rule._converters
        )  # fmt: skip

    def _tried(self, owner: str, known: Sequence[Sample]) -> list[Sample]:
        """What looks like theirs and is no other owner's, then what may be, then what is nobody's."""
        mine = self.own.get(owner, set())
        theirs = [each for each in known if each.owners & mine]
        theirs.sort(key=lambda each: len(each.owners - mine))
        return theirs[:TRIED] + [each for each in known if not each.owners & mine][: 1 if theirs else 2]

    def _cross(
        self, seen: Seen, first: Sample, second: Sample, known: Sequence[Sample], owners: tuple[str, str]
    ) -> None:
        """An address that names an object of the one and, inside, an object of the other."""
        names = objects.objects_of(seen.rule)
        if len(names) < 2:
            return
        for outer, inner in ((first, second), (second, first)):
            mixed = {**outer.values, names[-1]: inner.values[names[-1]]}
            if all(mixed != each.values for each in known):
                sample = Sample(mixed, frozenset())
                seen.crossed += [f"{each}: {mixed}" for each in owners if self._gets_in(each, seen, sample)]

    def _gets_in(self, role: str, seen: Seen, sample: Sample) -> bool:
        address = self.adapter.build(seen.rule.endpoint, dict(sample.values), method=seen.method)
        self.count += 1
        try:
            answer = self.cast.ask(role, seen.method, address, **self._resource(role, seen, address))
        except pytest.fail.Exception:  # it called a provider, which tests may not (`tests.network`)
            return True
        body = answer.get_data()
        answer.close()
        written = forms.written(self.cast)
        told = f"{role} {seen.method} {address}"
        if answer.status_code >= 500:
            seen.crashes.append(f"{told}: {self.cast.failure}")
        if is_refused(answer) and written.tables and seen.rule.endpoint not in LEAVING:
            seen.changed.append(f"{told}: {sorted(written.tables)}")
        self._listen(role, seen, answer, body)
        if seen.method == "GET" and answer.status_code == 200 and answer.mimetype == "text/html":
            self._take_forms(role, address, body.decode())
        # A resource that does not fit its address is refused before anybody looks whose it is.
        return not is_refused(answer) and not (seen.method == "PUT" and answer.status_code == 400)

    def _resource(self, role: str, seen: Seen, address: str) -> dict[str, Any]:
        """What a machine puts back: what its owner reads there."""
        if seen.method != "PUT":
            return {}
        read = self.cast.ask(role, "GET", address)
        if read.status_code == 200:
            seen.resource = read.get_data()
        read.close()
        return {"data": seen.resource, "content_type": "application/fhir+json"}

    def _take_forms(self, role: str, address: str, body: str) -> None:
        for form in forms.forms_of(role, address, body):
            try:
                endpoint, _values = self.adapter.match(urlsplit(form.action).path, "POST")
            except HTTPException:
                continue
            self.sendable.setdefault(endpoint, form)

    def _listen(self, role: str, seen: Seen, answer: TestResponse, body: bytes) -> None:
        """A refusal tells nobody's name, a patient's page no other patient's; nothing is kept, nor leads away."""
        refused, path = is_refused(answer), answer.request.path
        if role not in (VISITOR, *MACHINES, BARE) and not refused and not is_private(answer):
            seen.kept.append(f"{role} {seen.method} {path}: {answer.headers.get('Cache-Control')}")
        if (target := urlsplit(answer.headers.get("Location", ""))).netloc not in ("", "127.0.0.1", "localhost"):
            seen.strayed.append(f"{role} {seen.method} {path}: {target.netloc}")
        if not (refused or role in PATIENTS):
            return
        for who, name in self.names.items():
            if who != role and name.encode() in body:
                seen.leaks.append(f"{role} {seen.method} {path}: {who}")

    def sent_by_strangers(self, form: forms.Form) -> list[str]:
        """Who else may send this form as it stands on its owner's page."""
        endpoint, values = self.adapter.match(urlsplit(form.action).path, "POST")
        if not any(isinstance(each, UUID) for each in values.values()):
            return []
        guard = str(getattr(self.app.blueprints[endpoint.rpartition(".")[0]], guards.GUARD))
        found = []
        for role in strangers_of(guard, form.role):
            try:
                answer = self.cast.ask(role, "POST", form.action, data=dict(form.fields))
            except pytest.fail.Exception:
                found.append(f"{role} {form.action}: called a provider")
                continue
            answer.close()
            written = forms.written(self.cast)
            if not is_refused(answer) or written.tables:
                found.append(f"{role} {form.action}: {answer.status_code} {sorted(written.tables)}")
        return found


def guard_of(app: Flask, rule: Rule) -> str:
    return str(getattr(app.blueprints[rule.endpoint.rpartition(".")[0]], guards.GUARD))


def strangers_of(guard: str, owner: str) -> tuple[str, ...]:
    """Who asks for somebody's objects: nobody known, their peers, and those who lost what would have let them in."""
    audience, _colon, right = guard.partition(":")
    others: dict[str, tuple[str, ...]] = {
        "patient": (*PATIENTS[:3], FORMER, LOST),
        "professional": PROFESSIONALS,
        "machines": (*MACHINES, BARE),
        # Whose is what only the agent of both hospitals has open, nobody knows here.
        "staff": ()
        if owner == GROUP
        else (SOUTH if owner == NORTH else NORTH, *((elsewhere(right),) if right and owner == NORTH else ())),
        guards.SIGNED_IN: (PATIENTS[0], PATIENTS[2], FORMER, PROFESSIONALS[2], SOUTH),
    }
    return tuple(each for each in (VISITOR, *others.get(audience, ())) if each != owner)


def is_refused(answer: TestResponse) -> bool:
    """Sent to a door, not known (404), not let (403), or without a good pass (401)."""
    if answer.status_code in (401, 403, 404):
        return True
    if answer.status_code not in (302, 303):
        return False
    path = urlsplit(answer.headers["Location"]).path
    return path in DOORS or (path.endswith("/charte") and not answer.request.path.startswith(path))


def is_private(answer: TestResponse) -> bool:
    return "no-store" in answer.headers.get("Cache-Control", "")

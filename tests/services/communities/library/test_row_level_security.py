"""Each table against each role, in the database itself."""

from collections.abc import Mapping
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from portal import db
from portal.db import Actor, Base
from services.communities.library.models import (
    LibraryCategory,
    LibraryDocument,
    LibraryText,
    LibraryVersion,
    LibraryVocabulary,
    LibraryWords,
)
from tests.factories import communities, library
from tests.ground import prepared
from tests.services.communities.conftest import Group

_READ: Mapping[type[Base], int] = {LibraryCategory: 1, LibraryDocument: 1, LibraryVersion: 1, LibraryText: 1}


def actors(group: Group) -> Mapping[str, Actor]:
    found = {role: Actor("professional", account_id=seat.member.account_id) for role, seat in group.seats.items()}
    here, away = group.hospital.establishment.id, group.elsewhere.establishment.id
    return found | {
        "stranger": Actor("professional", account_id=group.stranger.id),
        "administrator": Actor("staff", account_id=group.administrator.id, rights={"administration": (here,)}),
        "agent elsewhere": Actor("staff", account_id=uuid4(), rights={"documents": (away,), "care": (away,)}),
        "patient": Actor("patient", account_id=uuid4(), patients=(uuid4(),)),
        "anonymous": db.ANONYMOUS,
    }


OUTSIDE = ("stranger", "administrator", "agent elsewhere", "patient", "anonymous")


def count(actor: Actor, model: type[Base]) -> int:
    with db.transaction(actor) as current:
        return len(current.execute(select(*model.__table__.primary_key.columns)).all())


def refused(actor: Actor, statement: object) -> bool:
    """Whether the database says no, or finds nothing to change."""
    try:
        with db.transaction(actor) as current:
            return current.execute(statement).rowcount == 0  # type: ignore[call-overload]  # what an update gives has it
    except DBAPIError:
        return True


@pytest.fixture
def kept(group: Group) -> LibraryDocument:
    with prepared():
        shelf = library.category(group.seats["animator"].community, "Protocoles")
        made = library.document(group.seats["contributor"], "Chute", "La chute.", on=shelf)
        library.document(group.seats["contributor"], "Brouillon", "Secret.", state="draft")
        library.document(group.seats["contributor"], "Mis de côté", "Né le.", state="draft", verdict="suspect")
    return made


class TestReading:
    def test_who_is_not_a_member_sees_no_row(self, group: Group, kept: LibraryDocument) -> None:
        for name in OUTSIDE:
            for model in (*_READ, LibraryWords, LibraryVocabulary):
                assert count(actors(group)[name], model) == 0, (name, model)

    def test_members_see_what_is_published(self, group: Group, kept: LibraryDocument) -> None:
        for name in ("member", "agent"):
            assert {model: count(actors(group)[name], model) for model in _READ} == _READ

    def test_authors_and_moderators_see_the_rest(self, group: Group, kept: LibraryDocument) -> None:
        for name in ("contributor", "moderator", "animator"):
            assert [count(actors(group)[name], m) for m in (LibraryDocument, LibraryVersion, LibraryText)] == [3, 3, 3]

    def test_nobody_reads_the_words(self, group: Group, kept: LibraryDocument) -> None:
        for name, actor in actors(group).items():
            assert count(actor, LibraryWords) == count(actor, LibraryVocabulary) == 0, name

    @pytest.mark.parametrize("scope", ["own", "null"])
    def test_functions_tell_nothing_to_who_is_not_a_member(
        self, group: Group, kept: LibraryDocument, scope: str
    ) -> None:
        """Whatever they are called with, not only as the search calls them."""
        given = {"own": group.id if scope == "own" else None}
        words = '[["chule"], ["chute"]]'
        found = f"select library_search('{group.id}', '{words}', array[]::text[], null, null, null, false, 20, 0)"
        with db.transaction(actors(group)["member"]) as current:
            assert current.scalar(text(found))["total"] == 1
        for name in OUTSIDE:
            with db.transaction(actors(group)[name]) as current:
                for exact in ("array[]::text[]", "array[null]::text[]", "array['k:document']"):
                    asked = f"select library_search(:own, '{words}', {exact}, null, null, null, false, null, 0)"
                    assert current.scalar(text(asked), given) == {"total": 0, "ids": []}, name
                asked = "select count(*) from library_meant(:own, array['chule', null])"
                assert current.scalar(text(asked), given) == 0, name
                said = current.scalar(text("select library_wanted(:own, '[[\"chule\"]]', 1)::text"), given)
                assert "'chut'" not in said, name

    def test_whoever_left_sees_nothing(self, group: Group, kept: LibraryDocument) -> None:
        with prepared():
            db.session.execute(
                text("update community_member set state = 'left' where account_id = :id"),
                {"id": group.seats["contributor"].member.account_id},
            )
        assert count(actors(group)["contributor"], LibraryDocument) == 0


class TestWriting:
    def test_only_who_contributes_deposits_and_in_their_own_name(self, group: Group, kept: LibraryDocument) -> None:
        own = {name: actor.account_id for name, actor in actors(group).items()}
        for name, actor in actors(group).items():
            values = {"id": uuid4(), "community_id": group.id, "kind": "document", "title": "Chute", "author_name": "X",
                      "keywords": []}  # fmt: skip
            mine = refused(actor, insert(LibraryDocument).inline().values(**values, author_id=own[name] or uuid4()))
            assert mine is (name not in ("contributor", "moderator", "animator")), name
            other = group.seats["agent"].member.account_id
            if name != "agent":
                values["id"] = uuid4()
                assert refused(actor, insert(LibraryDocument).inline().values(**values, author_id=other)), name

    def test_nobody_hangs_a_version_on_what_they_only_read_elsewhere(self, group: Group) -> None:
        own = group.seats["contributor"].member.account_id
        with prepared():
            other = communities.community(name="Ailleurs")
            theirs = library.document(communities.seat(other, group.stranger, role="contributor"), "Chute")
            communities.seat(other, own, "Dr CONTRIBUTOR")
        actor = Actor("professional", account_id=own)
        assert count(actor, LibraryDocument) == 1
        values = {"id": uuid4(), "document_id": theirs.id, "community_id": group.id, "number": 2, "by_id": own,
                  "by_name": "X", "sha256": b"", "note": "", "url": "", "publish": True}  # fmt: skip
        assert refused(actor, insert(LibraryVersion).inline().values(values))

    def test_only_its_author_and_moderators_change_it(self, group: Group, kept: LibraryDocument) -> None:
        change = update(LibraryDocument).where(LibraryDocument.id == kept.id).values(title="Autre")
        for name, actor in actors(group).items():
            assert refused(actor, change) is (name not in ("contributor", "moderator", "animator")), name

    def test_a_version_is_never_changed_nor_taken_away(self, group: Group, kept: LibraryDocument) -> None:
        for actor in (*actors(group).values(), db.system("tests")):
            assert refused(actor, update(LibraryVersion).values(note="x"))
            assert refused(actor, delete(LibraryVersion))

    def test_an_author_does_not_judge_their_own_text(self, group: Group, kept: LibraryDocument) -> None:
        for name in ("contributor", "member", *OUTSIDE):
            assert refused(actors(group)[name], update(LibraryText).values(verdict="cleared")), name

    def test_categories_are_the_animators(self, group: Group, kept: LibraryDocument) -> None:
        for name, actor in actors(group).items():
            assert refused(actor, update(LibraryCategory).values(name="x")) is (name != "animator"), name
            values = {"id": uuid4(), "community_id": group.id, "name": "y", "rank": 1}
            assert refused(actor, insert(LibraryCategory).inline().values(values)) is (name != "animator"), name

    def test_nobody_writes_words(self, group: Group, kept: LibraryDocument) -> None:
        for name, actor in actors(group).items():
            assert refused(actor, delete(LibraryWords)), name
            assert refused(actor, delete(LibraryVocabulary)), name

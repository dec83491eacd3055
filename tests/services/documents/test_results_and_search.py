"""Results are rows beside their document; words find it; nobody sees more of either than of the document itself."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError

from portal import db
from portal.db import Actor, session
from services.documents import cda, jobs
from services.documents.models import Document
from services.documents.reading import folding, results, search
from services.documents.reading.models import DocumentResult, DocumentVocabulary, DocumentWords
from services.documents.reading.results import Row
from tests.conftest import Database
from tests.factories import documents
from tests.ground import rows
from tests.services.documents.conftest import Ground
from tests.services.documents.test_cda import EXAMPLES

TSH = Row("Thyréostimuline (TSH)", "3016-3", "1.950", Decimal("1.950"), "m[IU]/L", "0.270 – 4.200", flag="N")
"""As a laboratory says it."""


@pytest.fixture
def file(ground: Ground, work_jobs: Callable[[], Any]) -> Callable[..., UUID]:
    """Take a letter about Dominique in, and let the jobs read it."""

    def filed(data: bytes) -> UUID:
        with db.transaction(db.system("tests")):
            (outcome,) = jobs.take_in_file(ground.here, "command", "lettre.xml", data, production=False)
        work_jobs()
        assert outcome.document_id is not None, outcome
        return outcome.document_id

    return filed


@pytest.fixture
def letter(ground: Ground, file: Callable[..., UUID]) -> Callable[..., UUID]:
    """A letter on Dominique's shelf: sections of text, or a PDF."""

    def written(*sections: tuple[str, str], **changes: Any) -> UUID:
        if sections:
            return file(documents.structured(ground.traits, sections, **changes))
        return file(documents.letter(ground.traits, **changes))

    return written


def found_by(actor: Actor, whose: UUID, words: str) -> list[UUID]:
    with db.transaction(actor):
        return list(search.of_patient(whose, words))


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "pneumopathie",
        "PNEUMOPATHIES",
        "pneumo",
        "pnuemopathie",
        "l’antibiothérapie",
        "antibiotherapie pneumopathie",
        "mercier",
        "Sortie de pneumologie",
        "cœur",
        "coeurs",
    ],
)
def test_a_letter_is_found_whatever_its_accents_its_plurals_and_a_slip(
    ground: Ground, letter: Callable[..., UUID], typed: str
) -> None:
    known = letter(
        ("Motif", "Pneumopathie traitée par antibiothérapie. Bruits du cœur normaux."), title="Sortie de pneumologie"
    )
    assert found_by(ground.as_patient, ground.patient.id, typed) == [known]


@pytest.mark.parametrize(
    "typed", ["", "   ", "de la", "'; drop table document; --", "fracture", "& | ! :*", "\x00", "a" * 5000]
)
def test_words_that_are_not_there_find_nothing(ground: Ground, letter: Callable[..., UUID], typed: str) -> None:
    letter(("Motif", "Pneumopathie."))
    assert found_by(ground.as_patient, ground.patient.id, typed) == []


def test_all_the_words_must_be_there(ground: Ground, letter: Callable[..., UUID]) -> None:
    letter(("Motif", "Pneumopathie."))
    assert found_by(ground.as_patient, ground.patient.id, "pneumopathie fracture") == []


def test_the_words_of_a_pdf_are_found(ground: Ground, letter: Callable[..., UUID]) -> None:
    known = letter(body=documents.pdf("Compte rendu", "Cholécystectomie sous cœlioscopie"))
    assert found_by(ground.as_patient, ground.patient.id, "cholecystectomie") == [known]


def test_the_latest_letter_comes_first(ground: Ground, letter: Callable[..., UUID]) -> None:
    old = letter(("Motif", "Bilan."), created_at=datetime(2020, 1, 1, tzinfo=UTC))
    new = letter(("Motif", "Bilan."), created_at=datetime(2024, 1, 1, tzinfo=UTC))
    assert found_by(ground.as_patient, ground.patient.id, "bilan") == [new, old]


def test_the_words_typed_are_preferred_to_those_that_look_like_them(
    ground: Ground, letter: Callable[..., UUID]
) -> None:
    letter(("Motif", "Calcul biliaire."))
    exact = letter(("Motif", "Calque."))
    assert found_by(ground.as_patient, ground.patient.id, "calque") == [exact]


def test_staff_find_the_letters_of_their_hospitals_in_the_tray_too(
    ground: Ground, letter: Callable[..., UUID], file: Callable[..., UUID]
) -> None:
    filed = letter(("Motif", "Pneumopathie."))
    stranger = cda.Patient(birth_name="INCONNU", first_name="Jean", first_names="Jean", sex="M")
    waiting = file(documents.structured(stranger, [("Motif", "Pneumopathie.")]))
    with db.transaction(ground.as_agent):
        assert set(search.at({ground.here}, "pneumopathie")) == {filed, waiting}
        assert search.at({ground.other_hospital.establishment.id}, "pneumopathie") == []
        assert search.at(set(), "pneumopathie") == []
    assert found_by(ground.as_patient, ground.patient.id, "pneumopathie") == [filed]


def test_nobody_finds_the_letters_of_another(ground: Ground, letter: Callable[..., UUID]) -> None:
    letter(("Motif", "Pneumopathie."))
    for other in (ground.as_other_patient, ground.as_professional, db.ANONYMOUS):
        assert found_by(other, ground.patient.id, "pneumopathie") == []
    with db.transaction(ground.as_other_agent):
        assert search.at({ground.here}, "pneumopathie") == []


def test_nobody_reads_the_words_themselves(ground: Ground, letter: Callable[..., UUID]) -> None:
    letter(("Motif", "Pneumopathie."))
    for actor in (ground.as_patient, ground.as_agent, ground.as_other_agent, db.ANONYMOUS):
        with db.transaction(actor):
            assert session.scalar(select(func.count()).select_from(DocumentWords)) == 0
            assert session.scalar(select(func.count()).select_from(DocumentVocabulary)) == 0


def test_words_are_kept_without_their_order(ground: Ground, letter: Callable[..., UUID]) -> None:
    letter(("Motif", "Le patient est allé au marché puis au marché."))
    with db.transaction(db.system("tests")):
        (words,) = session.scalars(select(DocumentWords.words))
    assert "march" in words
    assert re.search(r":\d", words) is None


def test_words_that_no_document_holds_any_more_are_forgotten(
    ground: Ground, letter: Callable[..., UUID], app: Any
) -> None:
    known = letter(("Motif", "Xylophoniste."))
    with db.transaction(db.system("tests")):
        session.execute(select(func.forget_document_vocabulary()))
        assert session.get(DocumentVocabulary, "xylophon") is not None
        session.execute(text("delete from document_words where document_id = :known"), {"known": known})
        session.execute(select(func.forget_document_vocabulary()))
        session.expire_all()
        assert session.get(DocumentVocabulary, "xylophon") is None


def test_a_word_alone_reads_the_same_in_a_letter_and_in_a_question() -> None:
    assert folding.words("L’ÉTÉ, à l'Hôtel-Dieu : 12,5 mg/L d’œdème…") == [
        "ete",
        "hotel",
        "dieu",
        "12",
        "5",
        "mg",
        "oedeme",
    ]


# -- the index is used -------------------------------------------------------------------------------------------------


@pytest.fixture
def explain(ground: Ground, database: Database) -> Iterator[Callable[[Actor, str, tuple[Any, ...]], str]]:
    """Run a statement as the application does, and tell the plans of what its functions do inside."""
    with psycopg.connect(database.superuser_url, autocommit=False) as connection:
        said: list[str] = []
        connection.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
        connection.execute("load 'auto_explain'")
        for setting in ("log_min_duration = 0", "log_nested_statements = on", "log_analyze = on"):
            connection.execute(f"set auto_explain.{setting}")
        connection.execute("set client_min_messages = log")

        def run(actor: Actor, statement: str, values: tuple[Any, ...]) -> str:
            role = psycopg.conninfo.conninfo_to_dict(database.application_url)["user"]
            connection.execute(f'set local role "{role}"')
            for key, value in actor.keys().items():
                connection.execute("select set_config(%s, %s, true)", (key, value))
            said.clear()
            connection.execute(statement, values)
            return "\n".join(said)

        yield run
        connection.rollback()


def _many_documents(owner: psycopg.Connection, known: UUID) -> None:
    """Twenty thousand more letters, of others, which speak of other things."""
    names = [name for (name,) in owner.execute(_COLUMNS)]
    copied = {"id": _COPY, "unique_id": f"{_COPY}::text", "patient_id": "null", "filed_at": "null", "state": "'tray'"}
    listed = ", ".join(f'"{each}"' for each in names)
    values = ", ".join(copied.get(each, f'd."{each}"') for each in names)
    many = "generate_series(1, 20000) n"
    owner.execute(f"insert into document ({listed}) select {values} from document d, {many} where d.id = %s", [known])
    said = "to_tsvector('french', 'bilan mot' || mod(n, 1000) || ' autre' || mod(n, 37))"
    values = f"{_COPY}, d.establishment_id, {said}"
    owner.execute(f"insert into document_words select {values} from document d, {many} where d.id = %s", [known])
    owner.execute("analyze document, document_words, document_vocabulary")


_COPY = "md5(n::text)::uuid"
_COLUMNS = "select attname from pg_attribute where attrelid = 'document'::regclass and attnum > 0 and not attisdropped"


def test_a_search_among_many_uses_the_index(
    ground: Ground, letter: Callable[..., UUID], explain: Callable[..., str], database: Database
) -> None:
    known = letter(("Motif", "Pneumopathie."))
    with psycopg.connect(database.superuser_url, autocommit=True) as owner:
        _many_documents(owner, known)
    plan = explain(ground.as_agent, "select documents_at(%s, %s, 200)", (["pneumopathie"], [ground.here]))
    assert "Bitmap Index Scan on ix_document_words_words" in plan
    assert not re.search("Seq Scan on document(_words)? ", plan)
    plan = explain(ground.as_patient, "select documents_of_patient(%s, %s, 200)", (["pneumopathie"], ground.patient.id))
    assert not re.search("Seq Scan on document(_words)? ", plan)


# -- results -----------------------------------------------------------------------------------------------------------


BIOLOGY = EXAMPLES / "cda" / "BIO-CR-BIO_2024.01_TSH_1.xml"
needs_biology = pytest.mark.skipif(not BIOLOGY.exists(), reason=f"the official examples are not there: {EXAMPLES}")


@needs_biology
def test_the_official_biology_report_becomes_two_rows(file: Callable[..., UUID]) -> None:
    file(BIOLOGY.read_bytes())
    kept = rows(DocumentResult)
    said = {(each.label, each.code, each.value, each.unit, each.range, each.flag, each.at.isoformat()) for each in kept}
    assert said == {
        ("Thyréostimuline (TSH)", "3016-3", "1.950", "m[IU]/L", "0.270 – 4.200", "N", "2014-04-02T12:55:21+00:00"),
        ("Thyroxine libre (FT4)", "3024-7", "7.67", "pg/mL", "9.30 – 17.00", "L", "2014-04-02T12:55:21+00:00"),
    }
    assert {each.group for each in kept} == {"BIOCHIMIE"}


def _kept(ground: Ground, document_id: UUID, *kept: Row) -> None:
    with db.transaction(db.system("tests")):
        results.keep(session.get_one(Document, document_id), kept)


def test_a_measure_is_followed_through_the_documents_of_one_patient(
    ground: Ground, letter: Callable[..., UUID]
) -> None:
    old, new, other_unit = letter(), letter(), letter()
    _kept(ground, old, Row("TSH", "3016-3", "5.1", Decimal("5.1"), "m[IU]/L", at=datetime(2020, 1, 1, tzinfo=UTC)))
    _kept(ground, new, Row("TSH", "3016-3", "1.9", Decimal("1.9"), "m[IU]/L", at=datetime(2024, 1, 1, tzinfo=UTC)))
    _kept(ground, other_unit, Row("TSH", "3016-3", "2", Decimal(2), "ug/L", at=datetime(2022, 1, 1, tzinfo=UTC)))
    with db.transaction(ground.as_patient):
        (shown,) = results.of_document(session.get_one(Document, new))
    assert shown.has_trend
    assert [point.value for point in shown.points] == ["5.1", "1.9"]


def test_what_is_no_number_or_has_no_code_is_not_followed(ground: Ground, letter: Callable[..., UUID]) -> None:
    first, second = letter(), letter()
    for each in (first, second):
        _kept(ground, each, Row("Angine", "78012-2", "Négatif"), Row("Sans code", "", "12", Decimal(12), "g/L"))
    with db.transaction(ground.as_patient):
        assert not any(shown.has_trend for shown in results.of_document(session.get_one(Document, second)))


def test_results_kept_twice_are_there_once(ground: Ground, letter: Callable[..., UUID]) -> None:
    known = letter()
    _kept(ground, known, TSH, TSH)
    _kept(ground, known, TSH)
    with db.transaction(db.system("tests")):
        assert session.scalar(select(func.count()).select_from(DocumentResult)) == 1


def test_an_unknown_flag_and_a_text_without_end_are_not_kept(ground: Ground, letter: Callable[..., UUID]) -> None:
    known = letter()
    _kept(ground, known, Row("x" * 10_000, value="1", flag="<script>"))
    (kept,) = rows(DocumentResult)
    assert (len(kept.label), kept.flag) == (300, "")


def test_nobody_sees_the_results_of_another(ground: Ground, letter: Callable[..., UUID]) -> None:
    known = letter()
    _kept(ground, known, TSH)
    for actor in (ground.as_other_patient, ground.as_other_agent, ground.as_professional, db.ANONYMOUS):
        with db.transaction(actor):
            assert session.scalar(select(func.count()).select_from(DocumentResult)) == 0
    for actor in (ground.as_patient, ground.as_agent):
        with db.transaction(actor):
            assert session.scalar(select(func.count()).select_from(DocumentResult)) == 1


@pytest.mark.parametrize("who", ["as_patient", "as_other_patient", "as_other_agent", "as_professional"])
def test_only_the_hospital_writes_results(ground: Ground, letter: Callable[..., UUID], who: str) -> None:
    known = letter()
    refused = pytest.raises(ProgrammingError, match="row-level security")
    with refused, db.transaction(getattr(ground, who)):
        session.execute(
            DocumentResult.__table__.insert().inline(),
            results._columns(Document(id=known, establishment_id=ground.here, authored_at=db.now()), 0, TSH),
        )


def test_results_follow_their_document_when_it_is_taken_back(ground: Ground, letter: Callable[..., UUID]) -> None:
    from services.documents import actions

    known = letter()
    _kept(ground, known, TSH)
    with db.transaction(ground.as_agent):
        actions.take_back(session.get_one(Document, known), "wrong_patient")
    with db.transaction(ground.as_patient):
        assert session.scalar(select(func.count()).select_from(DocumentResult)) == 0

"""What people of the demonstration think: answers of the last months, comments let through, some that wait."""

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import insert

from auth.models import Account
from portal import db
from portal.catalog.legal import actions as legal
from portal.db import Actor, session
from portal.establishments import Establishment
from portal.kpi import keys
from portal.kpi.searches import SearchTerm
from services.satisfaction import actions, choices, screening
from services.satisfaction.models import Opinion, OpinionComment

if TYPE_CHECKING:
    from tests.factories.demonstration import World

_USUAL = (("appointments", 46), ("preadmission", 21), ("billing", 17), ("documents", 30), ("messages", 9))
_LET_THROUGH = (
    ("appointments", 5, "Très simple, rendez-vous pris en deux minutes depuis mon téléphone.", ""),
    ("appointments", 2, "Impossible de trouver le service sans connaître son nom exact.", ""),
    ("preadmission", 4, "Mon opération du genou est bien préparée, mais la photo de la carte a été refusée deux fois.",
     "[…] la photo de la carte a été refusée deux fois."),
    ("billing", 3, "Le reçu est difficile à retrouver.", ""),
)  # fmt: skip
_WAITING = (
    ("documents", 2, "Le compte rendu de ma coloscopie n’apparaît pas, le Dr Fabre me l’avait promis.", 9),
    ("preadmission", 5, "Clair et rapide, merci à l’équipe des admissions.", 2),
    ("messages", 1, "Pas de réponse depuis le 12/10, rappelez-moi au 06 39 98 12 34.", 1),
)
_LOOKED_FOR = (
    ("orthophonie", 31),
    ("osteopathie", 24),
    ("centre anti douleur", 19),
    ("sage femme", 14),
    ("podologue", 11),
)


def demonstrate(world: "World") -> None:
    """Ninety days of answers at both hospitals; comments of the north; searches in vain; a page that cannot be used."""
    north, south = world.north.establishment, world.south.establishment
    for place, share in ((north, 1.0), (south, 0.4)):
        _answers(place, share)
    _screened(north, world.agents["administrator"])
    for service, score, words, ago in _WAITING:
        _said(north, service, score, words, ago)
    month = keys.month_of(db.now())
    session.add_all([SearchTerm(month=month, term=term, times=times) for term, times in _LOOKED_FOR])
    legal.report("/rendez-vous/choisir", "Avec le lecteur d’écran, je n’entends pas les horaires proposés.")


def _answers(place: Establishment, share: float) -> None:
    chance = Random(place.finess)
    rows = [
        {"id": uuid4(), "establishment_id": place.id, "service": service, "audience": "patient", "words": "",
         "score": chance.choices((1, 2, 3, 4, 5), (4, 7, 12, 40, 37))[0],
         "given_on": choices.today(place) - timedelta(days=chance.randrange(90))}
        for service, usual in _USUAL
        for _each in range(round(usual * share))
    ]  # fmt: skip
    session.execute(insert(Opinion), rows)


def _screened(place: Establishment, officer: Account) -> None:
    made = [
        _said(place, service, score, words, 20 + rank)
        for rank, (service, score, words, _kept) in enumerate(_LET_THROUGH)
    ]
    removed = _said(place, "messages", 1, "Mme Petit est désagréable et mon cancer ne l’intéresse pas.", 15)
    session.flush()
    system = db.current_actor()
    db.act_as(Actor("staff", officer.name, officer.id, rights={"administration": frozenset({place.id})}))
    for opinion_id, (_service, _score, words, kept) in zip(made, _LET_THROUGH, strict=True):
        actions.publish(session.get_one(OpinionComment, opinion_id), kept or words)
    actions.remove(session.get_one(OpinionComment, removed), "somebody")
    db.act_as(system)


def _said(place: Establishment, service: str, score: int, words: str, ago: int) -> UUID:
    """A comment that came so many days ago."""
    received_at = choices.began_at(place) - timedelta(days=ago)
    day = choices.today(place) - timedelta(days=ago)
    opinion = Opinion(id=uuid4(), establishment_id=place.id, service=service, audience="patient", score=score,
                      given_on=day)  # fmt: skip
    session.add(opinion)
    session.flush()
    session.add(
        OpinionComment(
            opinion_id=opinion.id, establishment_id=place.id, text=words, flags=screening.flags(words),
            received_at=received_at, due_on=day + timedelta(days=choices.DEFAULT_DAYS),
        )
    )  # fmt: skip
    return opinion.id

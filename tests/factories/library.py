"""Libraries of communities: documents as a CPTS keeps them, some published, some to review, one set aside."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import undefer

from portal import db, files
from portal.db import session
from portal.files import StoredFile
from services.communities.library import indexing, states
from services.communities.library.models import LibraryCategory, LibraryDocument, LibraryText, LibraryVersion
from services.communities.models import Community, CommunityMember
from services.communities.queries import Seat
from tests.factories.demonstration import World


def category(within: Community, name: str, parent: LibraryCategory | None = None, rank: int = 0) -> LibraryCategory:
    made = LibraryCategory(
        id=uuid4(), community_id=within.id, parent_id=parent.id if parent else None, name=name, rank=rank
    )
    session.add(made)
    session.flush()
    return made


def document(
    by: Seat,
    title: str = "Conduite à tenir",
    text: str = "",
    *,
    kind: str = "document",
    keywords: Sequence[str] = (),
    headings: str = "",
    on: LibraryCategory | None = None,
    state: str = states.PUBLISHED,
    verdict: str = states.CLEAN,
    review_by: date | None = None,
    at: datetime | None = None,
    stored: StoredFile | None = None,
    why: Sequence[str] = (),
    **facts: object,
) -> LibraryDocument:
    """A document with one version that was read already; found by its words when it is published."""
    moment = at or db.now()
    shown = verdict in states.SHOWABLE and state != states.DRAFT
    made = LibraryDocument(
        id=uuid4(), community_id=by.community.id, category_id=on.id if on else None, kind=kind, title=title,
        keywords=list(keywords), state=state, current=1 if shown else 0, author_id=by.member.account_id,
        author_name=by.member.name, review_by=review_by, created_at=moment, updated_at=moment,
        published_at=moment if shown else None,
        **{"owner_id": by.member.account_id, "owner_name": by.member.name} if kind == "protocol" else {}, **facts,
    )  # fmt: skip
    session.add(made)
    session.flush()
    version(by, made, text, headings=headings, verdict=verdict, at=moment, stored=stored, why=why)
    if made.state == states.PUBLISHED and made.current:
        index(made)
    return made


def version(
    by: Seat,
    of: LibraryDocument,
    text: str = "",
    *,
    number: int = 1,
    headings: str = "",
    verdict: str = states.CLEAN,
    state: str = states.READ,
    at: datetime | None = None,
    stored: StoredFile | None = None,
    note: str = "",
    why: Sequence[str] = (),
) -> LibraryVersion:
    made = LibraryVersion(
        id=uuid4(), document_id=of.id, community_id=of.community_id, number=number, by_id=by.member.account_id,
        by_name=by.member.name, at=at or db.now(), file_id=stored.id if stored else None,
        sha256=stored.sha256 if stored else b"", note=note,
    )  # fmt: skip
    session.add(made)
    session.flush()
    session.add(
        LibraryText(
            version_id=made.id, document_id=of.id, community_id=of.community_id, number=number, by_id=made.by_id,
            state=state, verdict=verdict, content=text, headings=headings, pages=1, read_at=db.now(), why=list(why),
        )
    )  # fmt: skip
    session.flush()
    return made


def index(of: LibraryDocument) -> None:
    """Have it found, without its job."""
    read = session.scalars(
        select(LibraryText)
        .options(undefer(LibraryText.content))
        .where(LibraryText.document_id == of.id, LibraryText.number == of.current)
    ).one()
    indexing.keep(session, of, read, "pdf")


def file(account_id: UUID, text: str, name: str = "document.txt") -> StoredFile:
    """A plain text, kept by an account."""
    arriving = files.from_bytes([text.encode()])
    arriving.finish()
    made = files.keep(arriving, name, "text/plain", account_id=account_id)
    assert made.sha256 == sha256(text.encode()).digest()
    return made


_SHELVES = (("Protocoles", ("Urgences", "Personnes âgées")), ("Vie du groupe", ()), ("Outils", ()))
_TEXTS = (
    ("protocol", "Urgences", "Exacerbation de BPCO : conduite en ville", ("dyspnée", "antibiotique"), 20,
     "Le patient connu pour une bronchopneumopathie s’essouffle davantage et crache plus. Rechercher des signes de"
     " gravité, mesurer la saturation, débuter les bronchodilatateurs. Réévaluer à quarante-huit heures."),
    ("protocol", "Personnes âgées", "Dénutrition : dépister et traiter", ("poids", "nutrition"), -40,
     "Peser chaque mois. Une perte de cinq pour cent en un mois fait le diagnostic. Enrichir les repas, compléments"
     " oraux, réévaluer à un mois. Orienter vers la diététicienne de la maison de santé."),
    ("protocol", "Personnes âgées", "Bilan après une chute à domicile", ("gériatrie", "ostéoporose"), 300,
     "Rechercher une hypotension orthostatique, réviser les médicaments, vérifier la vue et le logement. Vitamine D,"
     " exercices d’équilibre, ergothérapeute à domicile."),
    ("document", "Urgences", "Œdème aigu du poumon : premiers gestes", ("OAP",), None,
     "Asseoir le malade, appeler le 15, oxygène si disponible. Ne jamais allonger. Noter l’heure de chaque injection."),
    ("document", "Vie du groupe", "Compte rendu de la réunion de mars", ("réunion",), None,
     "Soins non programmés : créneaux mis à disposition chaque semaine. Prochaine réunion en juin."),
    ("form", "Outils", "Fiche de suivi de pansement", ("plaie", "infirmière"), None,
     "Date, dimensions, aspect du lit de la plaie, produit appliqué, douleur, prochain passage."),
)  # fmt: skip


def demonstrate(world: World) -> None:
    """Fill the library of the first community of the demonstration."""
    del world  # the communities were made before, with their members
    found = session.scalars(
        select(CommunityMember)
        .join(Community, Community.id == CommunityMember.community_id)
        .where(CommunityMember.state == "active", CommunityMember.role.in_(("animator", "contributor", "moderator")))
        .order_by(Community.created_at, Community.name, CommunityMember.created_at, CommunityMember.name)
    ).all()
    if not found:
        return
    within = session.get_one(Community, found[0].community_id)
    by = Seat(within, found[0])
    shelves: dict[str, LibraryCategory] = {}
    for rank, (name, under) in enumerate(_SHELVES):
        shelves[name] = category(within, name, rank=rank)
        shelves |= {each: category(within, each, shelves[name], rank) for each in under}
    _documents(by, shelves)


def _documents(by: Seat, shelves: dict[str, LibraryCategory]) -> None:
    today, account_id = db.now().date(), by.member.account_id
    for rank, (kind, shelf, title, keywords, days, text) in enumerate(_TEXTS):
        document(
            by, title, text, kind=kind, keywords=keywords, on=shelves[shelf],
            at=db.now() - timedelta(days=10 + 9 * rank),
            review_by=None if days is None else today + timedelta(days=days),
            stored=file(account_id, text, f"{title.replace(' : ', ' - ')}.txt"),
        )  # fmt: skip
    document(by, "Projet de protocole : plaies chroniques", "Photographier avec une règle.", state=states.DRAFT,
             stored=file(account_id, "Photographier avec une règle.", "plaies.txt"))  # fmt: skip
    document(by, "Cas discuté en réunion", "Ce qui a été dit.", state=states.DRAFT, verdict=states.SUSPECT,
             why=("birth", "name"), stored=file(account_id, "Ce qui a été dit.", "reunion.txt"))  # fmt: skip

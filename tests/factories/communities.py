"""Communities: a CPTS and its members, the group of a care path, what they tell one another. No patient is in it."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from auth.models import Account
from portal import db
from portal.db import session
from portal.establishments import Establishment
from services.communities.models import (
    Announcement,
    AnnouncementReading,
    Community,
    CommunityEvent,
    CommunityInvitation,
    CommunityMember,
    Post,
    PostReport,
    Subscription,
    Theme,
    Topic,
    TopicReading,
)
from services.communities.queries import Seat
from tests.factories import people
from tests.factories.demonstration import World

CHARTER = """Ce groupe réunit des professionnels pour mieux travailler ensemble.

Nous n’y écrivons rien qui permette de reconnaître un patient : ni nom, ni date de naissance, ni numéro, ni histoire \
trop particulière. Pour parler d’un patient, nous utilisons la messagerie sécurisée ou le téléphone.

Nous nous parlons avec respect, nous citons nos sources, nous disons nos liens d’intérêt.

Ce qui est écrit ici reste dans le groupe."""


def community(establishment: Establishment | None = None, name: str = "CPTS d’essai", **facts: object) -> Community:
    values: dict[str, object] = {
        "slug": f"groupe-{uuid4().hex[:8]}",
        "kind": "cpts",
        "purpose": "Mieux travailler ensemble sur le territoire.",
        "charter": CHARTER,
        "charter_version": 1,
    }
    made = Community(
        id=uuid4(), establishment_id=establishment.id if establishment else None, name=name, **values | facts
    )
    session.add(made)
    session.flush()
    return made


def member(
    within: Community, account: Account | UUID, name: str = "", role: str = "member", **facts: object
) -> CommunityMember:
    account_id = account if isinstance(account, UUID) else account.id
    values: dict[str, object] = {
        "state": "active",
        "charter_version": within.charter_version,
        "charter_at": db.now(),
        "joined_at": db.now(),
    }
    made = CommunityMember(
        id=uuid4(),
        community_id=within.id,
        account_id=account_id,
        name=name or (account.name if isinstance(account, Account) else "Membre"),
        role=role,
        **values | facts,
    )
    session.add(made)
    session.flush()
    return made


def seat(within: Community, account: Account | UUID, name: str = "", role: str = "member", **facts: object) -> Seat:
    return Seat(within, member(within, account, name, role, **facts))


def theme(within: Community, name: str = "Soins non programmés", description: str = "") -> Theme:
    made = Theme(id=uuid4(), community_id=within.id, name=name, description=description)
    session.add(made)
    session.flush()
    return made


def topic(by: Seat, title: str, *bodies: str, within: Theme | None = None, at: datetime | None = None) -> Topic:
    """A discussion whose messages are all by one member, an hour apart from `at` on."""
    moment = at or db.now()
    made = Topic(
        id=uuid4(),
        community_id=by.community.id,
        theme_id=within.id if within else None,
        title=title,
        author_id=by.member.account_id,
        author_name=by.member.name,
        created_at=moment,
        last_post_at=moment,
    )
    session.add(made)
    session.flush()
    for rank, body in enumerate(bodies):
        post(by, made, body, moment + timedelta(hours=rank))
    session.refresh(made)
    return made


def post(by: Seat, about: Topic, body: str, at: datetime | None = None) -> Post:
    made = Post(
        id=uuid4(),
        topic_id=about.id,
        community_id=about.community_id,
        author_id=by.member.account_id,
        author_name=by.member.name,
        body=body,
        created_at=at or db.now(),
    )
    session.add(made)
    session.flush()
    return made


def announcement(by: Seat, title: str, body: str, within: Theme | None = None, **facts: object) -> Announcement:
    made = Announcement(
        id=uuid4(),
        community_id=by.community.id,
        theme_id=within.id if within else None,
        title=title,
        body=body,
        author_id=by.member.account_id,
        author_name=by.member.name,
        **facts,
    )
    session.add(made)
    session.flush()
    return made


def invitation(within: Community, digest: bytes, **facts: object) -> CommunityInvitation:
    values: dict[str, object] = {
        "email": "dr@exemple.test",
        "role": "member",
        "expires_at": db.now() + timedelta(days=9),
    }
    made = CommunityInvitation(id=uuid4(), community_id=within.id, digest=digest, **values | facts)
    session.add(made)
    session.flush()
    return made


def event(within: Community, by: CommunityMember, action: str, at: datetime, label: str = "") -> None:
    session.add(
        CommunityEvent(
            community_id=within.id, at=at, actor=f"professional:{by.account_id}", actor_name=by.name, action=action,
            label=label,
        )
    )  # fmt: skip


# -- the demonstration -------------------------------------------------------------------------------------------

_OTHERS = (
    ("Dre Inès MARCHELIER", "Médecin généraliste, Arceau", "moderator"),
    ("Dr Hugo TASSIGNY", "Médecin généraliste, Deux-Rives", "member"),
    ("Lucie AMBRIÈRES", "Pharmacienne, Arceau", "contributor"),
    ("Karim OUADAH", "Masseur-kinésithérapeute, Saint-Aubin", "member"),
    ("Élise PONTAVERT", "Infirmière en pratique avancée, Arceau", "member"),
    ("Dr Mathieu DE LA ROCHETTE-VILLEMAIN", "Cardiologue de ville, Deux-Rives", "member"),
    ("Sonia BERTHELIN", "Assistante sociale, conseil départemental", "member"),
    ("Noémie CASTAIGNE", "Sage-femme, Saint-Aubin", "member"),
    ("Yann LE GOUAREC", "Orthophoniste, Arceau", "member"),
)


def demonstrate(world: World) -> None:
    """Two communities at the first hospital: one is lively, one is small and prepares its charter again."""
    now = db.now().replace(second=0, microsecond=0)
    cpts = community(
        world.north.establishment,
        "CPTS des Trois-Vallées",
        slug="cpts-des-trois-vallees",
        purpose="Les professionnels de santé des Trois-Vallées et l’hôpital : accès aux soins, parcours, prévention.",
        created_at=now - timedelta(days=200),
    )
    seats = _seats(cpts, world, now)
    _invite_someone(cpts, world)
    _talk(cpts, seats, now)
    _care_path(world, seats["roumillac"].member, now)


def _seats(cpts: Community, world: World, now: datetime) -> dict[str, Seat]:
    joined = {"joined_at": now - timedelta(days=190), "charter_at": now - timedelta(days=190)}
    roumillac, nevelet = world.professionals["roumillac"], world.professionals["nevelet"]
    secretary = world.agents["medical-secretary"]
    seats = {
        "roumillac": seat(cpts, roumillac.account_id, roumillac.titled_name, "animator",
                          calling="Coordinatrice de la CPTS", notify="all", **joined),
        "nevelet": seat(cpts, nevelet.account_id, nevelet.titled_name, calling="Cardiologue, Trois-Ponts", **joined),
        "secretary": seat(cpts, secretary, calling="Secrétariat de cardiologie, CH Val d’Arceau", **joined),
    }  # fmt: skip
    for rank, (name, calling, role) in enumerate(_OTHERS):
        own = people.account("professional", name, f"membre{rank}@cpts.exemple.test")
        seats[name] = seat(cpts, own, name, role, calling=calling, **joined)
    event(cpts, seats["roumillac"].member, "community.described", now - timedelta(days=195))
    for each in seats.values():
        event(cpts, each.member, "community_member.joined", now - timedelta(days=190), each.member.name)
    invitation(cpts, b"1" * 32, email="cabinet.saint-aubin@exemple.test", invited_by_name=roumillac.titled_name)
    invitation(cpts, b"2" * 32, email="", rpps="10000000371", name="Dre Agathe VERMOREL", role="contributor",
               invited_by_name=roumillac.titled_name)  # fmt: skip
    return seats


def _invite_someone(cpts: Community, world: World) -> None:
    """One invitation waits for a practitioner of the demonstration, who has not answered."""
    holder = next((each for key, each in sorted(world.professionals.items()) if key == "abrial" and each.rpps), None)
    if holder is not None:
        by = world.professionals["roumillac"].titled_name
        invitation(cpts, b"3" * 32, email="", rpps=holder.rpps, name=holder.titled_name, invited_by_name=by)


def _talk(cpts: Community, seats: dict[str, Seat], now: datetime) -> None:
    urgent = theme(cpts, "Soins non programmés", "Trouver une place le jour même, sans passer par les urgences")
    heart = theme(cpts, "Insuffisance cardiaque", "Parcours, télésurveillance, retour à domicile")
    theme(cpts, "Prévention", "Dépistages, vaccination, ateliers")
    marchelier, tassigny = seats[_OTHERS[0][0]], seats[_OTHERS[1][0]]
    pharmacist, nurse = seats[_OTHERS[2][0]], seats["nevelet"]
    for each in (nurse, tassigny, pharmacist):
        session.add(Subscription(theme_id=heart.id, account_id=each.member.account_id, community_id=cpts.id))
    meeting = (now + timedelta(days=12)).date()
    first = announcement(
        seats["roumillac"], "Soirée de la CPTS : l’accès direct aux lits de gériatrie",
        "À 20 h, salle des fêtes de Saint-Aubin. L’équipe de gériatrie présente son numéro direct et ses critères.\n\n"
        "Inscription auprès du secrétariat de la CPTS.",
        published_at=now - timedelta(days=3), starts_on=meeting, ends_on=meeting, pinned_at=now - timedelta(days=3),
    )  # fmt: skip
    announcement(
        marchelier, "Nouvelle fiche : quand adresser une dyspnée aiguë",
        "La fiche validée par les cardiologues et les urgentistes est en bibliothèque, à la place de celle de 2023.",
        heart, published_at=now - timedelta(days=9),
    )  # fmt: skip
    for each in (marchelier, tassigny, pharmacist):
        session.add(
            AnnouncementReading(announcement_id=first.id, account_id=each.member.account_id, community_id=cpts.id)
        )
    about = topic(
        tassigny, "Qui répond à la ligne directe de cardiologie le vendredi soir ?",
        "Deux fois de suite je suis tombé sur le standard après 18 h. Est-ce que d’autres ont le même souci ?",
        within=heart, at=now - timedelta(days=2, hours=5),
    )  # fmt: skip
    post(seats["secretary"], about, "La ligne est tenue jusqu’à 18 h 30, puis le cardiologue de garde prend le relais "
         "au même numéro. Je fais corriger le renvoi.", now - timedelta(days=2, hours=1))  # fmt: skip
    post(marchelier, about, "Merci ! Je l’ajoute à la fiche des numéros utiles.", now - timedelta(days=1, hours=20))
    post(seats["roumillac"], about, "Je le rappelle à la réunion du mois, avec le nouveau tableau de garde.", now)
    session.add(TopicReading(account_id=nurse.member.account_id, topic_id=about.id, community_id=cpts.id, read_at=now))
    sorted_out = topic(
        pharmacist, "Conciliation médicamenteuse à la sortie : on s’organise comment ?",
        "Nous recevons les ordonnances de sortie sans les arrêts de traitement. Une ligne « arrêté, parce que… » nous "
        "éviterait bien des appels.", within=urgent, at=now - timedelta(days=6),
    )  # fmt: skip
    wrong = post(seats[_OTHERS[3][0]], sorted_out, "De toute façon l’hôpital n’écoute jamais personne.",
                 now - timedelta(days=5))  # fmt: skip
    session.add(
        PostReport(
            id=uuid4(), post_id=wrong.id, community_id=cpts.id, account_id=nurse.member.account_id,
            name=nurse.member.name, kind="manners", words="On peut le dire autrement.",
            created_at=now - timedelta(days=4),
        )
    )  # fmt: skip
    event(cpts, nurse.member, "community_post.reported", now - timedelta(days=4))
    event(cpts, tassigny.member, "community_topic.opened", now - timedelta(days=2, hours=5), about.title)


def _care_path(world: World, animator: CommunityMember, now: datetime) -> None:
    path = community(
        world.north.establishment, "Parcours insuffisance cardiaque", slug="parcours-insuffisance-cardiaque",
        kind="pathway", purpose="Cardiologues, médecins traitants, infirmières : le même plan de soins pour tous.",
        charter_version=2, charter_at=now - timedelta(days=1), created_at=now - timedelta(days=60),
    )  # fmt: skip
    own = seat(path, animator.account_id, animator.name, "contributor", calling="Médecin traitant")
    nevelet = world.professionals["nevelet"]
    seat(path, nevelet.account_id, nevelet.titled_name, calling="Cardiologue", charter_version=1)
    administrator = world.agents["administrator"]
    running = seat(path, administrator, role="animator", calling="Pôle cœur-vaisseaux, CH Val d’Arceau")
    topic(running, "Calendrier des réunions du parcours", "Premier jeudi de chaque mois, 13 h, en visioconférence.",
          at=now - timedelta(days=20))  # fmt: skip
    event(path, own.member, "community_member.joined", now - timedelta(days=59), own.member.name)

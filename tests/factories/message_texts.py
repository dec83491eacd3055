"""Messages that the hospital of the north says in its own words; one of them was given the portal's words back."""

from admin import message_text_words
from portal.message_texts import actions, kinds
from portal.message_texts.writing import Words
from tests.factories.demonstration import World

_CONFIRMED = Words(
    "Votre rendez-vous au Val d’Arceau est noté",
    "Bonjour,\n\nVotre rendez-vous est noté sous la référence {reference}.\n\nNous vous attendons {when}.\n\n"
    "Un empêchement ? Dites-le ici, sans vous connecter : {answer_link}\n\n"
    "Ce qu’il faut apporter et le chemin sont dans votre compte :",
)
_WAITS = Words(
    "Quelques questions avant votre venue", "Bonjour,\n\nNous avons quelques questions à vous poser : {link}"
)


def demonstrate(world: World) -> None:
    """Two texts; the second was taken back to the portal's own."""
    north = world.north.establishment.id
    for seen, (code, words) in enumerate((("appointments.confirmed", _CONFIRMED), ("questionnaires.waits", _WAITS))):
        kind = kinds.of(code)
        assert kind is not None
        actions.change(north, kind, "fr", words, message_text_words.examples(kind, "fr"), 0)
        if seen:
            actions.restore(north, kind, "fr", 1)

"""What an action may refuse."""


class NoAddress(Exception):
    """No e-mail address was given for this person: no link can be sent."""


class TooManyLinks(Exception):
    """A link was sent a moment ago, or very many were: nobody's mailbox is filled from here."""


class LinkDead(Exception):
    """Unknown, followed already, too old or withdrawn: nobody is told which."""


class ForOneself(Exception):
    """A patient cannot be their own person of trust."""


class SameSigner(Exception):
    """The same person has signed already as the other holder."""


class TooYoung(Exception):
    """A person of trust is an adult."""


class NotAHolder(Exception):
    """The person who acts does not hold parental authority over this child here: a minor, a carer, an agent."""


class NotInPerson(Exception):
    """Somebody acts for the patient, who alone may sign this."""

"""Towns by postcode come from the portal's own list."""

import pytest

from services.preadmission import towns
from services.preadmission.towns import make


@pytest.mark.parametrize(
    ("postcode", "expected"),
    [("75013", ["Paris"]), ("97400", ["Saint-Denis"]), ("91290", ["Arpajon", "La Norville"]), ("00000", [])],
)
def test_a_postcode_leads_to_its_towns(postcode: str, expected: list[str]) -> None:
    assert list(towns.at(postcode)) == expected


@pytest.mark.parametrize("typed", ["", "7501", "750131", "7501a", "７５０１３", "2A000", "<b>12"])
def test_what_is_no_postcode_leads_nowhere(typed: str) -> None:
    assert not towns.is_postcode(typed)
    assert list(towns.at(typed)) == []


def test_the_list_holds_each_town_of_today_once_a_postcode() -> None:
    lines = towns.LIST.read_text("utf-8").splitlines()
    assert len(lines) > 6_000
    for line in lines:
        postcode, *names = line.split(";")
        assert towns.is_postcode(postcode)
        assert names
        assert names == sorted(set(names))


def test_communes_that_have_merged_have_the_name_of_the_new_one() -> None:
    communes: list[dict[str, object]] = [
        {"type": "commune-actuelle", "nom": "Neuve", "codesPostaux": ["01000", "01001"]},
        {"type": "commune-actuelle", "nom": "Autre", "codesPostaux": ["01000"]},
        {"type": "commune-deleguee", "nom": "Ancienne", "codesPostaux": ["01000"]},
        {"type": "commune-actuelle", "nom": "Sans code"},
    ]
    assert make.lines(communes) == ["01000;Autre;Neuve", "01001;Neuve"]

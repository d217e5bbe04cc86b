"""What templates and derived facts may name."""

from oomadvisor.rulebook.condition import Absent, AnyOf, Pattern
from oomadvisor.rulebook.kinds import FieldSpec
from oomadvisor.rulebook.names import Names, names_of
from tests.rulebook.toy import KINDS


def test_an_alias_of_one_kind_has_the_fields_of_the_kind() -> None:
    assert names_of((Pattern("zone", "z"), Absent("swap")), KINDS) == Names({"z": KINDS["zone"].fields})


def test_an_alias_of_several_kinds_has_what_they_share() -> None:
    names = names_of((AnyOf((Pattern("zone", "x"), Pattern("incident", "x"))),), KINDS)
    assert set(names.known["x"]) == {"name", "high"}
    assert not names.known["x"]["name"].required
    assert names.known["x"]["high"].words is None
    swapped = names_of((AnyOf((Pattern("incident", "x"), Pattern("zone", "x"))),), KINDS)
    assert not swapped.known["x"]["name"].required
    assert swapped.known["x"]["high"].words is None


def test_an_alias_of_some_branches_is_known_as_such() -> None:
    names = names_of((AnyOf((Pattern("zone", "x"), Pattern("zone", "y"), Absent("swap"))),), KINDS)
    assert (names.known, names.sometimes) == ({}, frozenset({"x", "y"}))
    assert names.look_up("x", "name")[0] == "alias-not-always-matched"  # type: ignore[index]


def test_looking_up() -> None:
    names = Names({"zone": KINDS["zone"].fields}).also({"swap": KINDS["swap"].fields})
    assert isinstance(names.look_up("swap", "free_kb"), FieldSpec)
    assert names.look_up("zoen", "name") == ("unknown-alias", "no fact is called 'zoen' here", "did you mean 'zone'?")
    assert names.look_up("zone", "nam") == ("unknown-field", "zone has no field 'nam'", "did you mean 'name'?")

"""$name and ${…} in values: what postconf(5) says, and that nothing but MainCfError comes out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maysend.maincf import Host, MainCfError, Parameters

HOST = Host(name="mail.example.com", interfaces=(), mail_version="3.7.11")


def expanded(value: str, **others: str) -> str:
    others = {"empty": "", "full": "f", "ten": "10", "hollow": "$empty"} | others
    return Parameters.from_mapping(others | {"value": value}, defaults=False, host=HOST)["value"]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("$full.${full}$(full)", "f.ff"),
        ("$unknown|", "|"),
        ("$$full $$$$", "$full $$"),
        ("${full?yes}${empty?yes}", "yes"),
        ("${full:no}${empty:no}", "no"),
        ("${full?{a}:{b}}${empty?{a}:{b}}", "ab"),
        ("${full ? { a } : { b }}", " a "),
        ("${full? a }", " a "),
        ("${hollow?set}", "set"),
        ("${{$ten} == {10} ? {x} : {y}}", "x"),
        ("${{010} == {10} ? {x} : {y}}", "x"),
        ("${{10} < {9} ? {x} : {y}}", "y"),
        ("${{10} < {9a} ? {x} : {y}}", "x"),
        ("${{ 1 } == {1} ? {x} : {y}}", "y"),
        ("${{3.6} < {3.10} ? {x} : {y}}", "y"),
        ("${{3.6} <level {3.10} ? {x} : {y}}", "x"),
        ("${{3.6.1} >=level {3.6} ? {x} : {y}}", "x"),
        ("${{a} != {b}}", "true"),
        ("${full?{${empty?{1}:{${full?{2}}}}}}", "2"),
    ],
)
def test_references(value: str, wanted: str) -> None:
    assert expanded(value) == wanted


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("a$", "a name expected"),
        ("${", "truncated"),
        ("${}", "empty parameter name"),
        ("${a-b}", "expected a parameter name"),
        ("${full?{a}b}", '":" expected'),
        ("${full?{a}:{b}c}", "unexpected input"),
        ("${{1} = {1}?{x}}", "one of =="),
        ("${{1} <xyz {1}?{x}}", "suffix"),
        ("${{x} <level {1}?{x}}", "compatibility level"),
        ("$value", "refers to itself: value -> value"),
        ("${{$value} == {}?{x}}", "refers to itself"),
        ("${full?" * 200 + "}" * 200, "unreasonable nesting"),
    ],
)
def test_what_postfix_refuses_is_refused_with_its_place(value: str, wrong: str) -> None:
    with pytest.raises(MainCfError) as raised:
        expanded(value)
    assert wrong in str(raised.value)
    assert str(raised.value).startswith("<parameters>:5: value: ")


def test_a_circle_names_its_members() -> None:
    with pytest.raises(MainCfError, match="a -> b -> a") as raised:
        Parameters.from_mapping({"a": "$b", "b": "x $a"}, file="main.cf")["a"]
    assert raised.value.place.line == 2


def test_an_expansion_bomb_is_refused() -> None:
    bomb = {f"a{i}": f"$a{i + 1}$a{i + 1}" for i in range(60)} | {"a60": "boom"}
    with pytest.raises(MainCfError, match="too large"):
        Parameters.from_mapping(bomb)["a0"]


def test_a_bomb_of_nothing_takes_no_time() -> None:
    bomb = {f"a{i}": f"$a{i + 1}$a{i + 1}" for i in range(60)} | {"a60": ""}
    assert Parameters.from_mapping(bomb)["a0"] == ""


def test_a_bomb_in_comparisons_is_refused() -> None:
    big = {"big": "x" * 500_000}
    with pytest.raises(MainCfError, match="too large"):
        Parameters.from_mapping(big | {"a": "${{$big} == {$big}?{x}}" * 40})["a"]


def test_the_order_of_questions_doesnt_change_how_deep_a_value_may_be() -> None:
    chain = {f"a{i}": f"$a{i + 1}" for i in range(120)} | {"a120": "x"}
    fresh = Parameters.from_mapping(chain)
    warmed = Parameters.from_mapping(chain)
    assert warmed["a60"] == "x"
    for parameters in (fresh, warmed):
        assert parameters["a20"] == "x"
        with pytest.raises(MainCfError, match="unreasonable nesting"):
            parameters["a19"]


FRAGMENTS = st.sampled_from(
    ["$", "{", "}", "(", ")", "?", ":", "==", "<level", "!=", " ", "a", "b", "c", "3.6", "$a",
     "${b", "${{", "é", "\udcff", "$$", "-"]
)  # fmt: skip
VALUES = st.lists(FRAGMENTS, max_size=25).map("".join) | st.text(max_size=40)


@given(st.fixed_dictionaries({"a": VALUES, "b": VALUES, "c": VALUES}))
def test_any_value_expands_or_is_refused(values: dict[str, str]) -> None:
    parameters = Parameters.from_mapping(values, defaults=False)
    for name in values:
        try:
            traced = parameters.traced(name)
        except MainCfError:
            continue
        for offset, character in enumerate(traced.text):
            place = traced.place(offset)
            source = list(values.values())[place.line - 1]
            assert source[place.column - 1 :].startswith(character) or "true" in traced.text

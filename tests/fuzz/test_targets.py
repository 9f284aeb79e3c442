"""Every parser, given its seeds and what hypothesis makes of them: nothing but clean errors."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

SEEDS = Path(__file__).parent / "seeds"
EXAMPLES = int(os.environ.get("MAYSEND_FUZZ_EXAMPLES", "80"))
FEW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def seeds(target: str) -> list[bytes]:
    """The inputs to begin with, and those that failed once."""
    return [path.read_bytes() for path in sorted((SEEDS / target).glob("*"))]


def test_every_target_has_seeds_and_every_seed_a_target() -> None:
    assert {path.name for path in SEEDS.iterdir()} == set(TARGETS)
    assert [target for target in TARGETS if not seeds(target)] == []


@pytest.mark.parametrize("target", TARGETS)
def test_seeds(target: str) -> None:
    for octets in seeds(target):
        TARGETS[target](octets)


@pytest.mark.parametrize("target", TARGETS)
@FEW
@given(data=st.data())
def test_mutated_seeds(target: str, data: st.DataObject) -> None:
    TARGETS[target](data.draw(mutated(seeds(target))))


@st.composite
def mutated(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """A seed with parts cut out, doubled, replaced, or taken from another seed."""
    octets = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(octets)))
        end = draw(st.integers(start, min(len(octets), start + 40)))
        other = draw(st.sampled_from(originals))
        at = draw(st.integers(0, len(other)))
        middle = draw(
            st.one_of(
                st.just(b""),
                st.just(octets[start:end] * 2),
                st.just(other[at : at + 40]),
                st.binary(max_size=8),
                st.sampled_from(
                    [b"\0", b"\n", b"\r", b"{", b"}", b"$", b'"', b"\\", b"\xff", b",", b":"]
                ),
            )
        )
        octets = octets[:start] + middle + octets[end:]
    return octets

"""Feeding a decoder the same octets whole, in pieces and byte by byte."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, Protocol


class Decoder(Protocol):
    def feed(self, octets: bytes) -> None: ...

    def next(self) -> Any: ...


def events(decoder: Decoder, pieces: Iterable[bytes]) -> list[object]:
    """Everything the decoder gives out; the type of what it raises is the last."""
    found: list[object] = []
    for piece in pieces:
        decoder.feed(piece)
        try:
            while (event := decoder.next()) is not None:
                found.append(event)
        except ValueError as problem:
            found.append(type(problem))
            return found
    return found


def all_ways(make: Callable[[], Decoder], octets: bytes, cuts: list[int]) -> list[list[object]]:
    """What comes out whole, cut at `cuts`, and byte by byte."""
    places = sorted({min(cut, len(octets)) for cut in cuts} | {0, len(octets)})
    pieces = [octets[a:b] for a, b in pairwise(places)]
    return [
        events(make(), [octets]),
        events(make(), pieces),
        events(make(), [octets[i : i + 1] for i in range(len(octets))]),
    ]

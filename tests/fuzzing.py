"""What a backend might send if anything went wrong with it: mutilated samples, other JSON, other bytes."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def anything(samples: Sequence[Any]) -> st.SearchStrategy[bytes]:
    """Give frames like the samples and unlike them."""
    return st.one_of(mutated(samples), st.binary(max_size=200), JSON.map(lambda value: json.dumps(value).encode()))


@st.composite
def mutated(draw: st.DrawFn, samples: Sequence[Any]) -> bytes:
    """A sample with some of its values replaced, removed or cut."""
    found = json.loads(json.dumps(draw(st.sampled_from(samples))))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from([each for each in _objects_in(found) if each] or [{"": None}]))
        key = draw(st.sampled_from(sorted(place)))
        if draw(st.booleans()):
            place[key] = draw(JSON)
        else:
            del place[key]
    raw = json.dumps(found).encode()
    return raw[: draw(st.integers(0, len(raw)))] if draw(st.integers(0, 9)) == 0 else raw


def _objects_in(value: object) -> list[dict[str, Any]]:
    match value:
        case dict():
            return [value, *(each for inner in value.values() for each in _objects_in(inner))]
        case list():
            return [each for inner in value for each in _objects_in(inner)]
        case _:
            return []

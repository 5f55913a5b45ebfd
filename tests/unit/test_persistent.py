"""Versions of large tables, against plain lists and dictionaries."""

from __future__ import annotations

import random

import pytest

from geofence.places.persistent import PersistentMap, PersistentVector


def test_every_version_of_a_vector_keeps_its_own_rows() -> None:
    chance = random.Random(1)
    versions: list[tuple[PersistentVector[int], list[int | None]]] = [
        (PersistentVector(range(1_500)), list(range(1_500)))
    ]
    for _ in range(60):
        vector, rows = chance.choice(versions)
        longer = [*rows, *[None] * chance.choice((0, 0, 1, 700, 1_024, 3_000))]
        changed = {
            chance.randrange(len(longer)): chance.choice((None, chance.randrange(9)))
            for _ in range(chance.randrange(5))
        }
        for row, value in changed.items():
            longer[row] = value
        versions.append((vector.changed(changed, len(longer)), longer))
    for vector, rows in versions:
        assert list(vector) == rows
        assert len(vector) == len(rows)
        assert [vector[row] for row in range(0, len(rows), 97)] == rows[::97]


def test_an_empty_vector_grows() -> None:
    vector: PersistentVector[str] = PersistentVector()
    assert list(vector.changed({2: "a"}, 3)) == [None, None, "a"]
    with pytest.raises(IndexError):
        vector[0]


def test_every_version_of_a_map_keeps_its_own_numbers() -> None:
    chance = random.Random(2)
    start = {f"n{number}": number for number in range(300)}
    versions: list[tuple[PersistentMap, dict[str, int]]] = [(PersistentMap(start), start)]
    for step in range(40):
        names, numbers = chance.choice(versions)
        gone = [chance.choice(sorted(numbers))] if numbers else []
        given = {f"m{step}-{each}": each for each in range(chance.choice((0, 1, 5_000)))}
        given |= {gone[0]: 7} if step % 3 == 0 else {}
        after = {name: number for name, number in numbers.items() if name not in gone} | given
        versions.append((names.changed(gone, given), after))
    for names, numbers in versions:
        assert set(names) == set(numbers)
        assert all(names[name] == number and name in names for name, number in numbers.items())
        assert names.get("unknown") is None
        with pytest.raises(KeyError):
            names["unknown"]

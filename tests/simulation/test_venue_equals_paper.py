"""The simulator's venue and the paper exchange implement the same rules apart from each other, and agree in every digit.

More seeds or longer walks: `BLITZ_TWIN_SEEDS=500 BLITZ_TWIN_STEPS=200`.
"""

import os
from collections.abc import Iterator

import pytest

from tests.simulation.twin import Hall
from tests.simulation.walk import Walk

SEEDS = int(os.environ.get("BLITZ_TWIN_SEEDS", "30"))
STEPS = int(os.environ.get("BLITZ_TWIN_STEPS", "60"))


@pytest.fixture(scope="module")
def hall() -> Iterator[Hall]:
    opened = Hall()
    yield opened
    opened.close()


@pytest.mark.timeout(0)
def test_walks_of_many_seeds_end_alike(hall: Hall):
    for seed in range(SEEDS):
        Walk(hall, seed).go(STEPS)
    print(sorted(hall.seen.items()))

"""How `fulfilment` chooses the crate of an order, one way for each release. Which one runs is a setting of the release."""

from collections import deque
from itertools import combinations

CRATE_GRAMS = 20_000
PARCELS_A_CRATE = 4


def next_fit(shelf: deque[int], grams: int) -> int:
    """Puts the parcel with the last ones that still fit into a crate."""
    load = grams
    for other in list(shelf)[: 1 - PARCELS_A_CRATE : -1]:
        if load + other <= CRATE_GRAMS:
            load += other
    return load


def fullest(shelf: deque[int], grams: int) -> int:
    """Finds the fullest crate that can be made of the parcels on the shelf, by trying them all."""
    best = grams
    for parcels in combinations(shelf, PARCELS_A_CRATE):
        load = sum(parcels)
        if best < load <= CRATE_GRAMS:
            best = load
    return best


METHODS = {"next_fit": next_fit, "fullest": fullest}

"""Random streams, one for each topic.

Belongs here: turning one seed and a topic's name into an independent generator. Does not belong
here: any draw. A stream depends on the seed and its own name only, so a new topic changes no other.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence


def topic_rng(seed: int, *topic: str) -> Generator:
    """Return the random generator of one topic.

    Parameters
    ----------
    seed : int
        The seed of the region.
    *topic : str
        Names that together identify the stream, for example ``"police_street", "2026-10"``.

    Returns
    -------
    numpy.random.Generator
        A PCG64 stream that depends on ``seed`` and ``topic`` only.
    """
    digest = hashlib.sha256("\x1f".join(topic).encode()).digest()
    spawn_key = tuple(int(word) for word in np.frombuffer(digest[:16], dtype="<u4"))
    return Generator(PCG64(SeedSequence(entropy=seed, spawn_key=spawn_key)))

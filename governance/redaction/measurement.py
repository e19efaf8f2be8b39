"""How much of what identifies a redactor finds, and how much of what it takes out identifies.

Belongs here: recall and precision on texts of known content. Does not belong here: the texts
(`sample_texts`), or what follows from a recall (`columns`).

Recall of a kind is the share of planted stretches of which every letter and digit is taken out, of
whatever kind the redactor thinks it is: half a surname left standing is a miss. Precision of a kind
is the share of findings of it that overlap a planted stretch of the same kind. The texts are
synthetic and few in their wordings; on real notes both will differ, and a sample of real notes
should be read before a recall is relied on.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from governance.redaction.engine import Redactor
from governance.redaction.findings import KINDS, Finding
from governance.redaction.sample_texts import Planted, SampleText, sample_texts

_log = logging.getLogger(__name__)
_AT_ONCE = 64
_QUIET_SECONDS = 2.0


@dataclass(frozen=True)
class KindMeasurement:
    """What was found of one kind.

    Attributes
    ----------
    planted, covered : int
        Stretches in the texts, and those of which nothing is left.
    found, right : int
        Findings, and those that overlap a planted stretch of their kind.
    """

    planted: int
    covered: int
    found: int
    right: int

    @property
    def recall(self) -> float | None:
        """Share of planted stretches of which nothing is left; None where none was planted."""
        return self.covered / self.planted if self.planted else None

    @property
    def precision(self) -> float | None:
        """Share of findings that are right; None where nothing was found."""
        return self.right / self.found if self.found else None


@dataclass(frozen=True)
class Measurement:
    """Recall and precision, by kind and over all.

    Attributes
    ----------
    kinds : mapping of str to KindMeasurement
        For every key of `KINDS`.
    texts : int
    seconds : float
        Wall time of finding.
    note : str
        In words, why names were not looked for by the model; empty if they were.
    """

    kinds: Mapping[str, KindMeasurement]
    texts: int
    seconds: float
    note: str = ""

    @property
    def overall(self) -> KindMeasurement:
        """The sums over all kinds."""
        values = self.kinds.values()
        return KindMeasurement(
            sum(each.planted for each in values),
            sum(each.covered for each in values),
            sum(each.found for each in values),
            sum(each.right for each in values),
        )

    @property
    def recall(self) -> float | None:
        """Recall over all kinds."""
        return self.overall.recall

    @property
    def precision(self) -> float | None:
        """Precision over all kinds."""
        return self.overall.precision


def measure(
    redactor: Redactor,
    texts: Sequence[SampleText],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Measurement:
    """Measure a redactor on texts of known content.

    Parameters
    ----------
    redactor : Redactor
    texts : sequence of SampleText
    progress : callable, optional
        Called with the texts done and all texts, for whoever shows progress.

    Returns
    -------
    Measurement
    """
    planted: Counter[str] = Counter()
    covered: Counter[str] = Counter()
    found: Counter[str] = Counter()
    right: Counter[str] = Counter()
    seconds = 0.0
    for first in range(0, len(texts), _AT_ONCE):
        batch = texts[first : first + _AT_ONCE]
        started = time.monotonic()
        found_in = redactor.find_many([each.text for each in batch])
        seconds += time.monotonic() - started
        for sample, findings in zip(batch, found_in, strict=True):
            planted.update(each.kind for each in sample.planted)
            covered.update(
                each.kind for each in sample.planted if is_covered(sample.text, each, findings)
            )
            found.update(each.kind for each in findings)
            right.update(each.kind for each in findings if _is_right(each, sample.planted))
        if progress:
            progress(first + len(batch), len(texts))
    return Measurement(
        {
            kind: KindMeasurement(planted[kind], covered[kind], found[kind], right[kind])
            for kind in KINDS
        },
        len(texts),
        seconds,
        redactor.names_note,
    )


def is_covered(text: str, planted: Planted, findings: Sequence[Finding]) -> bool:
    """Whether every letter and digit of a planted stretch is within findings, of whatever kind."""
    return all(
        any(each.start <= place < each.end for each in findings)
        for place in range(planted.start, planted.end)
        if text[place].isalnum()
    )


def _is_right(finding: Finding, planted: Sequence[Planted]) -> bool:
    return any(
        each.kind == finding.kind and each.start < finding.end and finding.start < each.end
        for each in planted
    )


@cache
def standard_measurement(names: bool = True) -> Measurement:
    """Measure this installation's redactor on the standard texts, once a process.

    Parameters
    ----------
    names : bool
        As for `Redactor`.

    Returns
    -------
    Measurement
        On texts from the held-out templates.
    """
    shown = time.monotonic()

    def report(done: int, of: int) -> None:
        nonlocal shown
        if time.monotonic() - shown > _QUIET_SECONDS:
            _log.info("Measuring the redactor: %d of %d synthetic texts", done, of)
            shown = time.monotonic()

    return measure(Redactor(names=names), sample_texts(), progress=report)

"""Recall and precision are computed from the texts, and the redactor reaches its bounds."""

from __future__ import annotations

import pytest

from governance.redaction.engine import Redactor
from governance.redaction.findings import KINDS, Finding
from governance.redaction.measurement import (
    is_covered,
    measure,
    standard_measurement,
)
from governance.redaction.sample_texts import Planted, SampleText, sample_texts


class Fixed(Redactor):
    """Finds what it is told to, text by text."""

    def __init__(self, *findings):
        super().__init__(names=False)
        self._findings = findings

    def find_many(self, texts):
        return [list(self._findings) for _ in texts]


SAMPLE = SampleText("Ann Lee 07700 900123", (Planted(0, 7, "NAME"), Planted(8, 20, "PHONE")))


def test_half_a_name_left_standing_is_a_miss():
    half = measure(Fixed(Finding(0, 3, "NAME", 1.0, "x")), [SAMPLE])
    assert (half.kinds["NAME"].recall, half.kinds["NAME"].precision) == (0.0, 1.0)
    whole = measure(Fixed(Finding(0, 7, "NAME", 1.0, "x")), [SAMPLE])
    assert whole.kinds["NAME"].recall == 1.0
    assert whole.recall == 0.5


def test_what_is_covered_under_another_kind_counts_for_recall_but_not_for_precision():
    wrong = measure(Fixed(Finding(8, 20, "UPRN", 1.0, "x")), [SAMPLE])
    assert wrong.kinds["PHONE"].recall == 1.0
    assert wrong.kinds["UPRN"].precision == 0.0


def test_blanks_need_not_be_covered():
    parts = [Finding(8, 13, "PHONE", 1.0, "x"), Finding(14, 20, "PHONE", 1.0, "x")]
    assert is_covered(SAMPLE.text, SAMPLE.planted[1], parts)
    assert not is_covered(SAMPLE.text, SAMPLE.planted[1], parts[:1])


def test_a_kind_nobody_planted_has_no_recall():
    none = measure(Fixed(), [SAMPLE])
    assert none.kinds["NINO"].recall is None
    assert none.kinds["NINO"].precision is None


def test_progress_ends_with_every_text():
    seen = []
    measure(Fixed(), [SAMPLE] * 70, progress=lambda done, of: seen.append((done, of)))
    assert seen[-1] == (70, 70)


@pytest.mark.parametrize("held_out", [True, False])
def test_the_sample_is_seeded_and_its_places_are_right(held_out):
    first = sample_texts(3, 200, held_out=held_out)
    assert first == sample_texts(3, 200, held_out=held_out)
    assert first != sample_texts(4, 200, held_out=held_out)
    for sample in first:
        ends = [0]
        for planted in sample.planted:
            value = sample.text[planted.start : planted.end]
            assert value
            assert value == value.strip()
            assert planted.kind in KINDS
            assert planted.start >= ends[-1]
            ends.append(planted.end)


def test_the_sample_plants_every_kind_often_and_has_texts_without_any():
    samples = sample_texts()
    for kind in KINDS:
        assert sum(each.kind == kind for s in samples for each in s.planted) >= 15
    assert any(not s.planted for s in samples)


def test_planted_nhs_numbers_are_of_the_test_range():
    for sample in sample_texts():
        for each in sample.planted:
            if each.kind == "NHS_NUMBER":
                digits = [c for c in sample.text[each.start : each.end] if c.isdecimal()]
                assert [int(c) for c in digits[:3]] == [9, 9, 9]
                assert len(digits) == 10


def test_the_redactor_reaches_its_bounds():
    if not Redactor().names_available:
        pytest.skip("the name model is not installed")
    measured = standard_measurement()
    assert measured is standard_measurement()
    for kind, each in measured.kinds.items():
        assert each.recall is not None
        assert each.recall >= 0.95, f"{kind} {each.recall:.3f}"
    assert measured.recall >= 0.97
    assert measured.precision >= 0.85


def test_another_seed_gives_no_other_picture():
    if not Redactor().names_available:
        pytest.skip("the name model is not installed")
    other = measure(Redactor(), sample_texts(99, 138))
    assert other.recall >= 0.95


def test_without_names_the_forms_alone_are_still_found():
    measured = measure(Redactor(names=False), sample_texts(5, 138))
    for kind in set(KINDS) - {"NAME", "DATE_OF_BIRTH"}:
        assert measured.kinds[kind].recall >= 0.9, kind
    assert measured.kinds["NAME"].covered <= measured.kinds["NAME"].planted / 10

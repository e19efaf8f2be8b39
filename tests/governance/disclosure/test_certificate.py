"""The certificate for machines: refuses what is not proven, and tells nothing by itself."""

from __future__ import annotations

import dataclasses
import json

import jsonschema
import pytest
from certificate_samples import DEFAULT, PLANTED, facts

from declarations.errors import DisclosureError
from governance.disclosure.certificate.facts import (
    SCHEMA,
    Examined,
    ExposedCell,
    Lost,
    WidthCount,
    certificate_json,
    certificate_schema,
    narrowest,
)

KEYS = [
    "schema", "release", "candidate", "region", "synthetic", "made_on", "code_version", "result",
    "profiles", "sensitive_cells", "interval_widths", "most_exposed", "assumed_known", "ledger",
    "solver", "coarsened", "exposed_by_public_knowledge_alone", "information_lost", "withheld",
    "not_promised",
]  # fmt: skip


def read(**changes) -> dict:
    return json.loads(certificate_json(facts(**changes)))


def test_it_states_everything_in_a_fixed_order() -> None:
    content = read()

    assert list(content) == KEYS
    assert content["schema"] == SCHEMA == "lsoalink-disclosure-certificate/1"
    assert content["result"] == {"failures": 0, "narrowest_interval": 4}
    assert [w["width"] for w in content["interval_widths"]] == [4, 6, 9, 14, None]
    assert content["assumed_known"]["insider"] is True
    assert content["ledger"] == {"head": "ab" * 32, "earlier_releases": 3}
    assert content["solver"]["tolerances"] == {"primal_feasibility": 1e-7}
    assert content["made_on"] == "2026-11-16"


def test_it_obeys_its_schema() -> None:
    empty = facts(
        examined=(), widths=(), exposed=(), coarsened=(), publicly_exposed=(), withheld=(),
        lost=Lost(0, 0, 0), synthetic="",
    )  # fmt: skip
    for given in (facts(), empty):
        jsonschema.validate(json.loads(certificate_json(given)), certificate_schema())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: c.update(schema="lsoalink-disclosure-certificate/2"),
        lambda c: c["result"].update(failures=1),
        lambda c: c["most_exposed"][0].update(value=3),
        lambda c: c["information_lost"].update(hidden_total_about=3),
        lambda c: c.pop("not_promised"),
    ],
)
def test_the_schema_refuses_what_is_no_certificate(spoil) -> None:
    content = read()
    spoil(content)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, certificate_schema())


def test_the_same_facts_give_the_same_bytes_whatever_the_order_of_widths() -> None:
    turned = facts()
    turned = dataclasses.replace(turned, widths=turned.widths[::-1], withheld=turned.withheld[::-1])

    assert certificate_json(facts()) == certificate_json(turned)


def test_real_data_has_no_banner() -> None:
    assert read(synthetic="")["synthetic"] is None


class TestRefusals:
    def test_failures(self) -> None:
        with pytest.raises(DisclosureError, match="2 sensitive cells fail"):
            certificate_json(facts(failures=2))

    def test_an_interval_narrower_than_demanded(self) -> None:
        widths = (WidthCount("hide0-r5", 3, 2), WidthCount("hide0-r5", 4, 758))
        with pytest.raises(DisclosureError, match="2 intervals are narrower"):
            certificate_json(facts(widths=widths))

    def test_an_interval_as_wide_as_demanded_will_do(self) -> None:
        assert certificate_json(facts(widths=(WidthCount("hide0-r5", 4, 760),)))

    def test_widths_that_leave_cells_out(self) -> None:
        with pytest.raises(DisclosureError, match="account for every cell"):
            certificate_json(facts(widths=(WidthCount("hide0-r5", 4, 759),)))

    def test_a_profile_that_is_not_named(self) -> None:
        examined = (Examined("H01", "Households", "2021 LSOA", "r5", 760),)
        with pytest.raises(DisclosureError, match="does not name"):
            certificate_json(facts(examined=examined))

    def test_more_than_ten_exposed_cells(self) -> None:
        cells = (ExposedCell("E01000001", "Mere 001A", "H01", "2025", 4),)
        assert len(read(exposed=cells * 10)["most_exposed"]) == 10
        with pytest.raises(DisclosureError, match="More than 10"):
            certificate_json(facts(exposed=cells * 11))


class TestInformationLost:
    def test_the_figures_are_coarse(self) -> None:
        lost = read()["information_lost"]

        assert lost == {
            "cells": 1600, "hidden": 690, "coarsened": 6, "share_per_cent": 43.5,
            "hidden_total_about": 1000, "mean_absolute_change_about": 1.5,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("total", "told"),
        [(0, None), (2, None), (3, 5), (52, 50), (53, 55), (614, 610), (996, 1000)],
    )
    def test_the_sum_of_the_hidden_is_never_finer_than_five(self, total, told) -> None:
        assert Lost(900, 300, 0, total).hidden_sum() == told

    def test_of_few_cells_nothing_is_told(self) -> None:
        assert Lost(900, 49, 0, 120).hidden_sum() is None
        assert Lost(900, 50, 0, 120).hidden_sum() == 120
        assert Lost(99, 50, 0, 120, 1.2).changed_by() is None
        assert Lost(100, 50, 0, 120, 1.2).changed_by() == 1.0

    def test_what_a_reader_concludes_is_exactly_what_was_rounded(self) -> None:
        told: dict[int, list[int]] = {}
        for total in range(12_000):
            figure = Lost(9_000, 4_000, 0, total).hidden_sum()
            if figure is not None:
                told.setdefault(figure, []).append(total)

        for figure, totals in told.items():
            if max(totals) < 11_900:
                bounds = Lost(9_000, 4_000, 0, totals[0]).hidden_sum_bounds()
                assert bounds == (min(totals), max(totals)), figure
        assert Lost(900, 10, 0, 120).hidden_sum_bounds() is None

    def test_a_release_of_nothing_has_no_share(self) -> None:
        assert Lost(0, 0, 0).share() is None

    def test_exact_figures_are_neither_in_the_certificate_nor_in_any_message(self) -> None:
        exact = {str(p) for p in PLANTED}
        for text in (certificate_json(facts()).decode(), repr(facts())):
            assert not [e for e in exact if e in text]


def test_no_bound_of_any_interval_is_stated() -> None:
    content = read()

    for cell in content["most_exposed"]:
        assert set(cell) == {"area_code", "area_name", "indicator", "period", "width"}
    for cell in (*content["coarsened"], *content["exposed_by_public_knowledge_alone"]):
        assert not {"value", "lower", "upper", "count"} & set(cell)


def test_narrowest() -> None:
    assert narrowest(facts().widths) == DEFAULT.width
    assert narrowest([WidthCount("r5", None, 3), WidthCount("r5", 2, 0)]) is None

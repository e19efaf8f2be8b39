"""What is made from what, and what Dagster shows of it."""

from __future__ import annotations

import json

import dagster as dg
import pytest
from asset_graph import RECORD, graph

from assets.naming import STAGES
from pipelines.build import build_definitions
from pipelines.regions import bundled, open_region


@pytest.fixture(scope="module", params=sorted(bundled()))
def resolved(request):
    return build_definitions(regions=[open_region(request.param)]).resolve_asset_graph()


def test_the_graph_is_the_one_on_record():
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    made = json.loads(json.dumps(graph()))
    differing = sorted(k for k in set(recorded) | set(made) if recorded.get(k) != made.get(k))
    assert differing == [], (
        "The graph of arden changed. If that was meant, write the record anew with "
        "'python tests/assets/asset_graph.py' and review the difference"
    )


def test_a_changed_graph_would_be_noticed():
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))
    recorded["arden/release_bundle"]["deps"] = []
    assert recorded != graph()


def test_every_asset_says_whose_and_what_it_is(resolved):
    for key in resolved.get_all_asset_keys():
        node = resolved.get(key)
        assert node.owners, key
        assert node.kinds, key
        assert node.description, key
        assert node.description.endswith("."), key
        assert node.group_name.split("_")[-1] in STAGES, key


def test_tables_that_people_query_show_their_columns(resolved):
    shown = 0
    for key in resolved.get_all_asset_keys():
        if key.path[-1].split("_")[0] in (
            "admitted",
            "located",
            "counts",
            "statistics",
            "indicator",
        ):
            schema = resolved.get(key).metadata.get("dagster/column_schema")
            value = getattr(schema, "schema", schema)
            assert value is not None, key
            assert value.columns, key
            shown += 1
    assert shown > 20


def test_no_personal_column_is_shown_that_the_agreement_drops():
    declared = open_region("arden")
    resolved = build_definitions(regions=[declared]).resolve_asset_graph()
    source = declared.sources["northwood_homelessness"]
    agreed = declared.agreement_of(source).source(source.id)
    dropped = {c.name for c in agreed.columns if c.action == "drop"}
    assert {"last_name", "nino"} <= dropped
    for stage in ("admitted", "located"):
        key = dg.AssetKey(["arden", f"{stage}_{source.id}"])
        schema = resolved.get(key).metadata["dagster/column_schema"]
        names = {c.name for c in getattr(schema, "schema", schema).columns}
        assert not names & dropped


def test_a_dependency_never_goes_back_a_stage(resolved):
    order = {
        "received": 0, "admitted": 1, "reference": 2, "located": 3, "counts": 4, "statistics": 4,
        "indicator": 5, "protected": 6, "quality": 6, "derived": 7, "release": 8,
    }  # fmt: skip
    for key in resolved.get_all_asset_keys():
        mine = order[key.path[-1].split("_")[0]]
        for parent in resolved.get(key).parent_keys:
            theirs = order[parent.path[-1].split("_")[0]]
            # A practice's patients are placed before what is placed by them, and the areas stand
            # before the larger areas they belong to.
            within = theirs == mine and mine in (order["located"], order["reference"])
            assert theirs < mine or within, (key, parent)


def test_every_declared_source_has_its_assets(resolved):
    (name,) = {key.path[0] for key in resolved.get_all_asset_keys()}
    declared = open_region(name.replace("_", "-"))
    names = {key.path[-1] for key in resolved.get_all_asset_keys()}
    for source in declared.sources.values():
        assert {f"received_{source.id}", f"admitted_{source.id}"} <= names
        placed = declared.contract_of(source).kind != "reference"
        assert (f"located_{source.id}" in names) == placed

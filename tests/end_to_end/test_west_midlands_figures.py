"""The bundled region on real open data gives the figures that anyone can check.

Every number stands in a published file or in its publisher's own totals; `docs/figures.md` gives
the queries for them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import duckdb
import pytest

from declarations.loader import load_region
from indicators.counting import count_source
from indicators.library import CATALOGUE
from indicators.tables import build_theme, themes
from intake.admission import admit
from intake.arrival import receive_source, store_of
from intake.location import locate, located_table
from intake.records import all_records
from intake.reference import build_reference, reference_table
from intake.reference_plan import reference_roles
from publishing.derived import DERIVED_OBSERVATIONS, derive
from publishing.protection import PROTECTED, protect_themes
from publishing.release import build_release
from synthetic.calibrated import synthesise_cases
from synthetic.published_totals import DistrictTotals
from warehouse.keys import open_key_ring
from warehouse.workspace import Workspace

REPOSITORY = Path(__file__).parents[2]
OPEN_DATA = Path(os.environ.get("LSOALINK_OPEN_DATA", REPOSITORY.parent / "shared" / "open-data"))

pytestmark = [
    pytest.mark.open_data,
    pytest.mark.end_to_end,
    pytest.mark.skipif(not OPEN_DATA.is_dir(), reason="the folder of real open data is not here"),
]

LSOAS = {
    "Birmingham": 659, "Coventry": 203, "Dudley": 203, "Sandwell": 190, "Solihull": 134,
    "Walsall": 169, "Wolverhampton": 161,
}  # fmt: skip
PAGE = REPOSITORY / "docs" / "figures.md"
QUERY = re.compile(r"```sql\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)
INDICATORS = {
    "C01", "C02", "C03", "C04", "C05", "C06", "C09", "C10", "C11", "C13", "C15", "C16", "C20",
    "C21", "C22", "C23", "C24", "C25", "C26", "C27", "H01", "H02", "H03", "H04",
}  # fmt: skip
DERIVED = {"D13", "H13"}


class Region:
    """The region's stages, run once."""

    def __init__(self, folder: Path) -> None:
        declared = load_region(
            REPOSITORY / "pipelines" / "regions" / "west-midlands",
            contract_library=REPOSITORY / "expectations" / "contracts",
            indicator_library=CATALOGUE,
        )
        landing, data = folder / "landing", folder / "data"
        data.mkdir()
        self.totals = synthesise_cases(OPEN_DATA, landing).totals
        self.workspace = Workspace(
            declared, data, landing, open_key_ring(data), open_data=OPEN_DATA
        )
        self.not_accepted: list[tuple[str, str | None]] = []
        self.not_built: list[tuple[str, str]] = []
        self._run()

    def _run(self) -> None:
        workspace = self.workspace
        declared, store = workspace.declared, store_of(workspace)
        for source in declared.sources.values():
            for delivery in receive_source(workspace, source, store).new:
                if delivery.outcome != "accepted":
                    self.not_accepted.append((source.id, delivery.reason))
        built = [
            admit(workspace, s, p)
            for s in declared.sources.values()
            for p in workspace.expected_periods(s)
        ]
        built += [build_reference(workspace, role) for role in reference_roles(workspace.declared)]
        for source in declared.sources_of_kind("records", "values", "statistics"):
            for period in workspace.expected_periods(source):
                built.append(locate(workspace, source, period))
                built.append(count_source(workspace, source, period, located_table(source)))
        built += [build_theme(workspace, theme) for theme in themes(workspace)]
        built.append(protect_themes(workspace))
        built += derive(workspace)
        self.release = build_release(workspace).outcome
        self.not_built = [(b.table.name, b.reason) for b in built if b.outcome != "built"]

    def query(self, sql: str) -> list[tuple]:
        """Run SQL with {linked} and {areas} standing for the folder and the file."""
        linked = self.workspace.root / "linked"
        areas = self.workspace.lake.path(reference_table("areas"))
        return duckdb.sql(sql.format(linked=linked, areas=areas)).fetchall()

    def accounting(self, source_id: str, quantity: str = "rows") -> dict[tuple[str, str], int]:
        return {
            (row["outcome"], row["detail"]): row["amount"]
            for source, _, record in all_records(self.workspace, "accounting")
            for row in record["rows"]
            if source == source_id and row["quantity"] == quantity
        }


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Region:
    return Region(tmp_path_factory.mktemp("west_midlands"))


def amount(accounting: dict[tuple[str, str], int], *outcomes: str) -> int:
    return sum(n for (outcome, _), n in accounting.items() if outcome in outcomes)


def test_every_source_is_accepted_and_every_table_made(region: Region) -> None:
    assert (region.not_accepted, region.not_built) == ([], [])


def test_the_release_is_published_by_the_standing_approval(region: Region) -> None:
    assert region.release == "published"


@pytest.mark.parametrize(
    ("query", "expected"),
    QUERY.findall(PAGE.read_text(encoding="utf-8")),
    ids=lambda text: " ".join(text.split())[:40],
)
def test_the_queries_of_the_page_of_figures(
    region: Region, monkeypatch: pytest.MonkeyPatch, query: str, expected: str
) -> None:
    monkeypatch.chdir(region.workspace.data_dir.parent)
    rows = duckdb.sql(query).fetchall()
    shown = [" | ".join("NULL" if v is None else str(v) for v in row) for row in rows]
    assert shown == expected.strip().splitlines()


def test_the_page_of_figures_has_a_result_for_every_query() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(QUERY.findall(text)) == text.count("```sql") > 0


def test_the_areas_are_the_2021_lsoas_of_the_seven_districts(region: Region) -> None:
    found = region.query("SELECT lad24nm, count(*) FROM '{areas}' GROUP BY 1")
    assert dict(found) == LSOAS
    assert sum(LSOAS.values()) == 1_719


def test_the_households_of_census_2021(region: Region) -> None:
    ((households,),) = region.query(
        "SELECT sum(value) FROM '{linked}/counts_census_households/*.parquet' "
        "WHERE measure = 'households' AND lsoa21cd IS NOT NULL"
    )
    assert households == 1_131_683
    # The tenures of the same table add up to it.
    tenures = region.accounting("census_tenure", "households_of_tenure")
    assert amount(tenures, "placed") == 1_131_683


def test_registered_patients_keep_their_total_from_2011_to_2021_areas(region: Region) -> None:
    rows = region.accounting("nhs_gp_registrations")
    patients = region.accounting("nhs_gp_registrations", "patients")
    assert amount(rows, "placed", "apportioned") == 73_859
    assert rows["received", "all"] == 73_859 + 5_014 == 78_873
    assert patients["received", "all"] == 3_562_392
    assert amount(patients, "placed", "apportioned") == 3_248_006
    # Those of the 40 areas that were split, as the lookup and the file have them.
    assert (amount(rows, "apportioned"), amount(patients, "apportioned")) == (2_570, 160_294)
    # The rest are the patients of Stockport, which is in the same file.
    assert patients["out of region", "out_of_region"] == 314_386
    assert rows["out of region", "out_of_region"] == 5_014
    assert amount(patients, "not placed") == amount(rows, "not placed") == 0
    ((counted, areas),) = region.query(
        "SELECT sum(value), count(DISTINCT lsoa21cd) FROM "
        "'{linked}/counts_nhs_gp_registrations/*.parquet' WHERE lsoa21cd IS NOT NULL"
    )
    assert (counted, areas) == (3_248_006, 1_719)


def test_split_and_merged_areas_of_2011_arrive_in_all_their_2021_areas(region: Region) -> None:
    changes = region.workspace.lake.path(reference_table("lsoa_changes"))
    ((parents, children, merged_from, merged_into, empty),) = region.query(
        f"""
        WITH changed AS (
            SELECT c.* FROM '{changes}' c JOIN '{{areas}}' USING (lsoa21cd)
            WHERE chgind IN ('S', 'M')
        ), patients AS (
            SELECT lsoa21cd, sum(value) AS value
            FROM '{{linked}}/counts_nhs_gp_registrations/*.parquet' GROUP BY 1
        )
        SELECT count(DISTINCT lsoa11cd) FILTER (chgind = 'S'),
               count(DISTINCT lsoa21cd) FILTER (chgind = 'S'),
               count(DISTINCT lsoa11cd) FILTER (chgind = 'M'),
               count(DISTINCT lsoa21cd) FILTER (chgind = 'M'),
               count(*) FILTER (coalesce(p.value, 0) = 0)
        FROM changed LEFT JOIN patients p USING (lsoa21cd)
        """
    )
    assert (parents, children, merged_from, merged_into, empty) == (40, 80, 2, 1, 0)


def test_every_record_of_the_2011_police_file_is_accounted_for(region: Region) -> None:
    rows = region.accounting("police_street_2011")
    assert rows["received", "all"] == 25_558
    # The force's area is the seven districts: hardly a point can lie outside them.
    assert rows == {
        ("received", "all"): 25_558, ("placed", "point"): 25_525,
        ("not placed", "point_outside"): 33,
    }  # fmt: skip
    ((counted,),) = region.query(
        "SELECT sum(value) FROM '{linked}/counts_police_street_2011/*.parquet'"
    )
    assert counted == 25_558


def test_another_forces_file_counts_nowhere(region: Region) -> None:
    rows = region.accounting("police_surrey")
    assert rows["received", "all"] == 7_896
    # 103 rows have neither an area nor a point.
    assert rows == {
        ("received", "all"): 7_896,
        ("out of region", "out_of_region"): 7_793,
        ("not placed", "no_location"): 103,
    }
    found = region.query(
        "SELECT lsoa21cd, lad24cd FROM '{linked}/counts_police_surrey/*.parquet' GROUP BY ALL"
    )
    assert found == [(None, None)]


def test_homelessness_counts_are_the_published_totals_of_each_district(region: Region) -> None:
    found = region.query(
        "SELECT lad24cd, category, sum(value) FROM "
        "read_parquet('{linked}/counts_*_homelessness/*.parquet') "
        "WHERE measure = 'homelessness_assessments' GROUP BY ALL"
    )
    counted: dict[str, dict[str, int]] = {}
    for district, duty, households in found:
        counted.setdefault(district, {})[duty] = households
    assert counted == {code: totals.duties for code, totals in region.totals.items()}
    assert sum(counted["E08000025"].values()) == 1_134


def test_temporary_accommodation_is_the_published_total_of_each_district(region: Region) -> None:
    found = region.query(
        "SELECT lad24cd, category, sum(value) FROM "
        "read_parquet('{linked}/counts_*_homelessness/*.parquet') "
        "WHERE measure = 'temporary_accommodation' GROUP BY ALL"
    )
    counted: dict[str, dict[str, int]] = {}
    for district, kind, households in found:
        counted.setdefault(district, {})[kind] = households
    assert counted == {code: published_types(t) for code, t in region.totals.items()}
    assert sum(counted["E08000025"].values()) == 5_151


def published_types(totals: DistrictTotals) -> dict[str, int]:
    return {kind: count for kind, count in totals.types.items() if count}


def test_the_district_totals_of_the_workbook_are_read_by_its_contract(region: Region) -> None:
    table = region.workspace.lake.path(reference_table("district_totals"))
    found = region.query(
        f"SELECT la_code, assessed, prevention, relief, none, withdrew, ineligible FROM '{table}'"
    )
    assert {row[0]: row[1:] for row in found} == {
        code: (
            t.assessed,
            *(t.duties[d] for d in ("prevention", "relief", "none", "withdrew", "ineligible")),
        )
        for code, t in region.totals.items()
    }


def test_the_indicators_come_out_for_every_area(region: Region) -> None:
    everywhere = {"lsoa21": 1_719, "msoa21": 357, "lad24": 7}
    for table, expected in ((PROTECTED, INDICATORS), (DERIVED_OBSERVATIONS, DERIVED)):
        path = region.workspace.lake.path(table)
        found = region.query(
            f"SELECT indicator_id, geography_type, count(*), count(DISTINCT geography_code) "
            f"FROM '{path}' GROUP BY ALL"
        )
        assert {row[0] for row in found} == expected
        assert all(rows == areas == everywhere[level] for _, level, rows, areas in found)
        # No delivery is owed that cannot come: nothing is marked as not available.
        assert region.query(f"SELECT count(*) FROM '{path}' WHERE value_status = '[x]'") == [(0,)]

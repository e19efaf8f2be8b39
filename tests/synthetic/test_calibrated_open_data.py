"""Cases made from the real published files."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from synthetic.calibrated import DISTRICTS, CalibrationReport, read_homes, synthesise_cases

ROOT = Path(
    os.environ.get("LSOALINK_OPEN_DATA", Path(__file__).parents[3] / "shared" / "open-data")
)

pytestmark = [
    pytest.mark.open_data,
    pytest.mark.skipif(not ROOT.is_dir(), reason="the folder of real open data is not here"),
]


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("west_midlands") / "landing"


@pytest.fixture(scope="module")
def report(landing: Path) -> CalibrationReport:
    return synthesise_cases(ROOT, landing)


def read(landing: Path, district: str) -> pd.DataFrame:
    return pd.read_csv(
        landing / f"{district}_homelessness" / "hclic_2025-12.csv", dtype=str, keep_default_na=False
    )


def test_the_published_totals_of_birmingham(report: CalibrationReport) -> None:
    # Figures of the workbook's sheets A1 and TA1, read by eye.
    totals = report.totals["E08000025"]
    assert totals.name == "Birmingham"
    assert totals.assessed == 1_134
    assert totals.duties["prevention"] + totals.duties["relief"] == 1_106
    assert totals.stock == 5_151
    assert list(totals.types.values()) == [616, 668, 537, 1, 2_224, 1_105]


def test_every_file_meets_its_totals(report: CalibrationReport, landing: Path) -> None:
    assert sorted(p.name for p in landing.iterdir()) == sorted(
        f"{name}_homelessness" for name in DISTRICTS.values()
    )
    for code, name in DISTRICTS.items():
        cases, totals = read(landing, name), report.totals[code]
        assessed = pd.to_datetime(cases["HCLIC 1.5"], format="%d/%m/%Y")
        duties = cases[assessed >= "2025-10-01"]["HCLIC 1.6"].value_counts().to_dict()
        assert duties == totals.duties
        inside = cases[(cases["HCLIC 9.2"] != "") & (cases["HCLIC 9.9"] == "")]
        assert len(inside) == totals.stock
        kinds = inside["HCLIC 9.5"].value_counts().to_dict()
        assert kinds == {kind: count for kind, count in totals.types.items() if count}
        assert cases["HCLIC 1.1"].str.startswith(f"{code}/SYN-").all()


def test_about_one_case_in_twenty_has_no_fixed_abode(
    report: CalibrationReport, landing: Path
) -> None:
    cases = pd.concat([read(landing, name) for name in DISTRICTS.values()])
    assert len(cases) == report.rows
    assert 0.04 < (cases["HCLIC A1.8"] == "ZZ99 3VZ").mean() < 0.06


def test_the_files_are_the_same_every_time(
    report: CalibrationReport, landing: Path, tmp_path: Path
) -> None:
    synthesise_cases(ROOT, tmp_path)
    for path in sorted(landing.rglob("*.csv")):
        again = tmp_path / path.relative_to(landing)
        assert again.read_bytes() == path.read_bytes()
        assert again.stat().st_mtime == path.stat().st_mtime
        day = pd.Timestamp(path.stat().st_mtime, unit="s").date().isoformat()
        assert day == "2026-01-20"


def test_homes_are_live_postcodes_of_the_seven_districts() -> None:
    homes = read_homes(ROOT)
    assert set(homes["lad24cd"]) == set(DISTRICTS)
    assert homes["postcode"].is_unique
    assert (homes["weight"] > 0).all()
    # B1 1AA was terminated in 2010 (the first row of the published file).
    assert "B1 1AA" not in set(homes["postcode"])


def test_more_deprived_areas_send_more_cases_for_each_household() -> None:
    homes = read_homes(ROOT)
    likely = homes.groupby("lsoa21cd")["weight"].sum()
    households = pd.read_csv(
        ROOT / "census" / "census2021_households_by_lsoa21_EW.csv", index_col="lsoa21_code"
    )["total_households"]
    score = pd.read_csv(ROOT / "imd" / "imd2025_england_lsoa21.csv", index_col="lsoa21_code")[
        "IMD_score"
    ]
    # Areas of 2011 that were split carry the households of all their parts: left out here.
    unchanged = pd.read_csv(
        ROOT / "lookups" / "LSOA11_LSOA21_LAD22_EW_exact_fit_ONS_original.csv", encoding="utf-8-sig"
    ).query("CHGIND == 'U'")["LSOA21CD"]
    likely = likely[likely.index.isin(unchanged)]
    rate = (likely / households.loc[likely.index]).rank()
    # Equal but for rounding: the order of the rates is the order of the scores.
    assert rate.corr(score.loc[likely.index].rank()) > 0.999

"""The counts of the synthetic region are what its generator knows to be true.

The generator writes the truth from where its people live, before it makes any file of them.
"""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.end_to_end

MISMATCH = """
SELECT count(*) FILTER (truth.value IS DISTINCT FROM made.value) AS different, count(*) AS cells
FROM ({truth_sql}) AS truth
FULL JOIN ({made_sql}) AS made USING (source_id, period, lsoa21cd, measure, category)
"""


def compare(arden, truth_sql, made_sql):
    sql = MISMATCH.replace("{truth_sql}", truth_sql).replace("{made_sql}", made_sql)
    (row,) = arden.query(sql)
    return row


def test_homelessness_cases_are_in_their_true_neighbourhoods(arden):
    row = compare(
        arden,
        "SELECT lower(district) || '_homelessness' AS source_id, period, lsoa21cd, "
        "'homelessness_assessments' AS measure, duty_owed AS category, sum(n) AS value "
        "FROM '{truth}/homelessness.parquet' WHERE n > 0 AND lsoa21cd IS NOT NULL GROUP BY ALL",
        "SELECT source_id, period, lsoa21cd, measure, category, sum(value) AS value "
        "FROM '{linked}/counts_*_homelessness/*.parquet' "
        "WHERE measure = 'homelessness_assessments' AND lsoa21cd IS NOT NULL AND value > 0 "
        "GROUP BY ALL",
    )
    assert row["cells"] > 500
    assert row["different"] == 0


def test_homelessness_cases_without_an_address_are_counted_as_such(arden):
    truth, made = (
        {(r["source_id"], r["period"]): r["n"] for r in arden.query(sql)}
        for sql in (
            "SELECT lower(district) || '_homelessness' AS source_id, period, sum(n) AS n "
            "FROM '{truth}/homelessness.parquet' WHERE lsoa21cd IS NULL GROUP BY ALL "
            "HAVING sum(n) > 0",
            "SELECT source_id, period, sum(value) AS n "
            "FROM '{linked}/counts_*_homelessness/*.parquet' "
            "WHERE measure = 'homelessness_assessments' AND lsoa21cd IS NULL GROUP BY ALL "
            "HAVING sum(value) > 0",
        )
    )
    assert truth
    assert made == truth


CHANNELS = "contacts_web, contacts_phone, contacts_f2f, accounts_active"
CONTACTS = (
    "SELECT lower(district) || '_digital_contacts' AS source_id, period, lsoa21cd, measure, "
    f"'all' AS category, value, exact FROM (UNPIVOT '{{truth}}/digital_contacts.parquet' "
    f"ON {CHANNELS} INTO NAME measure VALUE value)"
)


def test_contacts_are_exact_where_the_file_allows_it(arden):
    row = compare(
        arden,
        f"SELECT * EXCLUDE (exact) FROM ({CONTACTS}) WHERE exact",
        "SELECT made.source_id, period, lsoa21cd, measure, category, value "
        "FROM '{linked}/counts_*_digital_contacts/*.parquet' AS made "
        f"ANTI JOIN (FROM ({CONTACTS}) WHERE NOT exact) USING (source_id, period, lsoa21cd) "
        "WHERE lsoa21cd IS NOT NULL",
    )
    assert row["cells"] > 1000
    assert row["different"] == 0


def test_contacts_given_by_2011_codes_keep_their_totals(arden):
    unsure = arden.query(f"SELECT DISTINCT source_id, period FROM ({CONTACTS}) WHERE NOT exact")
    assert len(unsure) == 1
    where = f"source_id = '{unsure[0]['source_id']}' AND period = '{unsure[0]['period']}'"
    truth, made = (
        {r["measure"]: r["total"] for r in arden.query(sql)}
        for sql in (
            f"SELECT measure, sum(value) AS total FROM ({CONTACTS}) WHERE {where} GROUP BY ALL",
            "SELECT measure, sum(value) AS total "
            f"FROM '{{linked}}/counts_*_digital_contacts/*.parquet' WHERE {where} GROUP BY ALL",
        )
    )
    assert made == truth


def test_crimes_are_exact_where_their_code_was_not_split(arden):
    row = compare(
        arden,
        "SELECT 'police_street' AS source_id, period, lsoa21cd, 'crimes' AS measure, "
        "crime_type AS category, sum(n) AS value FROM '{truth}/street_crime.parquet' "
        "WHERE lsoa21cd IN (SELECT lsoa21cd FROM '{truth}/street_crime.parquet' "
        "GROUP BY 1 HAVING bool_and(exact)) GROUP BY ALL",
        "SELECT source_id, period, lsoa21cd, measure, category, sum(value) AS value "
        "FROM '{linked}/counts_police_street/*.parquet' WHERE value > 0 AND lsoa21cd IN "
        "(SELECT lsoa21cd FROM '{truth}/street_crime.parquet' GROUP BY 1 HAVING bool_and(exact)) "
        "GROUP BY ALL",
    )
    assert row["cells"] > 1000
    assert row["different"] == 0


def test_every_crime_of_a_month_is_counted_once(arden):
    truth, made = (
        {r["period"]: r["n"] for r in arden.query(sql)}
        for sql in (
            "SELECT period, sum(n) AS n FROM '{truth}/street_crime.parquet' GROUP BY ALL",
            "SELECT period, sum(value) AS n FROM '{linked}/counts_police_street/*.parquet' "
            "GROUP BY ALL",
        )
    )
    assert len(truth) == 24
    assert made == truth

"""The data dictionary: every table and column of a release, with type, words, unit and key.

Belongs here: what is said of a table, once. The DuckDB comments, the Parquet metadata, the column
order of every file and the allow-list of what may be published all follow from it.
Does not belong here: the views (``views.py``), or how a file format is written.
"""

from __future__ import annotations

from publishing.dictionary_derived import DERIVED
from publishing.dictionary_model import Column, Table

AREAS = Table(
    "areas",
    "One row per 2021 Lower layer Super Output Area (LSOA) of the region, with the areas it lies "
    "in and its public census figures.",
    ("lsoa21cd",),
    (
        Column("lsoa21cd", "VARCHAR", "GSS code of the 2021 LSOA."),
        Column("lsoa21nm", "VARCHAR", "Name of the 2021 LSOA."),
        Column("msoa21cd", "VARCHAR", "GSS code of the 2021 Middle layer Super Output Area."),
        Column("msoa21nm", "VARCHAR", "Name of the 2021 Middle layer Super Output Area."),
        Column("wd24cd", "VARCHAR", "GSS code of the 2024 ward; empty where no ward is known."),
        Column("wd24nm", "VARCHAR", "Name of the 2024 ward; empty where no ward is known."),
        Column("lad24cd", "VARCHAR", "GSS code of the 2024 local authority district."),
        Column("lad24nm", "VARCHAR", "Name of the 2024 local authority district."),
        Column("households", "BIGINT", "Households at the census, as published.", "households"),
        Column("residents", "BIGINT", "Usual residents at the census, as published.", "people"),
        Column("area_hectares", "DOUBLE", "Area on the British National Grid.", "hectares"),
        Column("synthetic", "BOOLEAN", "True where the area itself is invented."),
    ),
)

INDICATORS = Table(
    "indicators",
    "One row per published indicator: what it says, how it is computed, what to beware of.",
    ("indicator_id",),
    (
        Column("indicator_id", "VARCHAR", "Short stable code, for example H01."),
        Column("name", "VARCHAR", "Machine name, stable between releases."),
        Column("title", "VARCHAR", "Title in plain English."),
        Column("description", "VARCHAR", "What the indicator measures."),
        Column("rationale", "VARCHAR", "Why it is published and what it helps to decide."),
        Column("theme", "VARCHAR", "homelessness, social_care, digital_inclusion or context."),
        Column(
            "kind",
            "VARCHAR",
            "count, rate or share; statistic (published as it is); composite, standardised, "
            "expected or median (made from other indicators).",
        ),
        Column("numerator", "VARCHAR", "What is counted, in words."),
        Column("denominator", "VARCHAR", "What it is divided by, in words."),
        Column("expression", "VARCHAR", "The same as an expression over declared counts."),
        Column("made_from", "VARCHAR", "The indicators it is made from; empty if from counts."),
        Column("multiplier", "DOUBLE", "The ratio is multiplied by this, for example 1000."),
        Column("unit", "VARCHAR", "Unit of the value."),
        Column("decimals", "INTEGER", "Decimal places the value is published with.", "digits"),
        Column("additivity", "VARCHAR", "flow (summed over time), stock (never) or none."),
        Column("outputs", "VARCHAR", "Levels and periods it is published for."),
        Column("basis", "VARCHAR", "Which address puts a record in an area."),
        Column(
            "interval_method",
            "VARCHAR",
            "Confidence interval: wilson, byar, dobson, simulation or none.",
        ),
        Column("standardisation", "VARCHAR", "none, direct or indirect."),
        Column("smoothing", "VARCHAR", "Mean that smoothed_figures draws it to, or none."),
        Column("polarity", "VARCHAR", "lower_is_better, higher_is_better or none."),
        Column("profile", "VARCHAR", "Disclosure profile applied to its counts."),
        Column(
            "minimum_denominator",
            "INTEGER",
            "Below this denominator the value is withheld as [u].",
            "unit of the denominator",
        ),
        Column("caveats", "VARCHAR", "What to beware of when reading it."),
        Column("definition_sources", "VARCHAR", "Publications the definition comes from."),
        Column("sources", "VARCHAR", "Sources it is made from."),
        Column("purposes", "VARCHAR", "Purposes its agreements must allow."),
        Column("owner", "VARCHAR", "Who answers for the definition."),
        Column("version", "VARCHAR", "Version of the definition."),
    ),
)

_PROTECTED_FIGURE = (
    Column("numerator", "BIGINT", "Protected count above the line.", "see the indicator"),
    Column("denominator", "BIGINT", "Protected count below the line.", "see the indicator"),
    Column(
        "value",
        "DOUBLE",
        "The published figure; empty where value_status says so.",
        "the column unit",
    ),
    Column("unit", "VARCHAR", "Unit of value, lower_ci and upper_ci."),
    Column("lower_ci", "DOUBLE", "Lower 95% confidence limit.", "the column unit"),
    Column("upper_ci", "DOUBLE", "Upper 95% confidence limit.", "the column unit"),
    Column("ci_method", "VARCHAR", "How the limits were computed, or none."),
)
"""What a figure is made of, in every table that holds figures."""

OBSERVATIONS = Table(
    "observations",
    "The figures: one row per indicator, area, period and breakdown. Counts are protected: 0 to 4 "
    "is hidden and marked [c], 5 and more is rounded to the nearest 5. An empty value is never 0: "
    "value_status says why it is empty.",
    (
        "indicator_id",
        "geography_type",
        "geography_code",
        "period_start",
        "period_end",
        "breakdown_type",
        "breakdown_value",
    ),
    (
        Column("period_start", "DATE", "First day of the period."),
        Column("period_end", "DATE", "Last day of the period."),
        Column("period_label", "VARCHAR", "The period in words."),
        Column("geography_type", "VARCHAR", "Level: lsoa21, msoa21 or lad24."),
        Column("geography_code", "VARCHAR", "GSS code of the area."),
        Column("geography_name", "VARCHAR", "Name of the area."),
        Column("geography_vintage", "VARCHAR", "Year of the area's boundaries."),
        Column("indicator_id", "VARCHAR", "Indicator, see the table indicators."),
        Column(
            "breakdown_type", "VARCHAR", "What the figure is broken down by; 'none' if it is not."
        ),
        Column("breakdown_value", "VARCHAR", "Which part of the breakdown; 'all' if it is whole."),
        *_PROTECTED_FIGURE,
        Column(
            "value_status",
            "VARCHAR",
            "Empty for a plain value; else markers: [c] hidden to protect people, [x] not "
            "available, [z] nothing to divide by, [u] unreliable and withheld, [e] estimated, "
            "[b] first after a break in series, [r] revised.",
        ),
        Column("note_id", "VARCHAR", "Note that applies, see the table notes."),
        Column("release_id", "VARCHAR", "Release the row belongs to."),
    ),
)

COMBINED_OBSERVATIONS = Table(
    "combined_observations",
    "Figures of several neighbourhoods together. Where a neighbourhood's own figure would let a "
    "small count be worked back, it is withheld from observations and given here together with a "
    "neighbour's, or for the whole MSOA. Counts are protected as in observations.",
    ("indicator_id", "geography_type", "geography_code", "period_start", "period_end"),
    (
        Column("period_start", "DATE", "First day of the period."),
        Column("period_end", "DATE", "Last day of the period."),
        Column("period_label", "VARCHAR", "The period in words."),
        Column("geography_type", "VARCHAR", "lsoa21_pair, or msoa21 where all its LSOAs are."),
        Column("geography_code", "VARCHAR", "Code of the MSOA, or both LSOAs' joined by +."),
        Column("members", "VARCHAR", "GSS codes of the LSOAs, separated by spaces."),
        Column("lad24cd", "VARCHAR", "GSS code of the district they lie in."),
        Column("indicator_id", "VARCHAR", "Indicator, see the table indicators."),
        *_PROTECTED_FIGURE,
        Column("value_status", "VARCHAR", "Markers as in observations."),
        Column("note_id", "VARCHAR", "Note that applies, see the table notes."),
    ),
)

NOTES = Table(
    "notes",
    "The notes that observations refer to.",
    ("note_id",),
    (
        Column("note_id", "VARCHAR", "Short name of the note."),
        Column("text", "VARCHAR", "What the note says."),
    ),
)

ACCOUNTING = Table(
    "accounting",
    "What became of every row that was received. For one source, period and quantity, received = "
    "placed + apportioned + out of region + not placed; the view v_accounting has them side by "
    "side. For a source under a sharing agreement amounts are protected (0 to 4 hidden, the rest "
    "rounded to 5, so that sums close only nearly), and reasons are taken together.",
    ("source_id", "period", "quantity", "outcome", "detail"),
    (
        Column("source_id", "VARCHAR", "Source, as declared by the region."),
        Column("agency", "VARCHAR", "Agency that delivers the source."),
        Column("period", "VARCHAR", "Month of the delivery (YYYY-MM); empty if delivered once."),
        Column("quantity", "VARCHAR", "'rows', or the name of an additive column."),
        Column(
            "outcome",
            "VARCHAR",
            "'received'; 'placed' in one area as a whole; 'apportioned', split over areas by "
            "weights; 'out of region', in a known area that is not the region's; or 'not placed'. "
            "A row that is split counts once, as apportioned if a part of it is in the region.",
        ),
        Column(
            "detail",
            "VARCHAR",
            "Method where placed or apportioned, reason where out of region or not placed; 'all' "
            "in total.",
        ),
        Column("amount", "BIGINT", "How many; empty where amount_status is [c].", "rows or units"),
        Column("amount_status", "VARCHAR", "[c] where the amount is hidden to protect people."),
        Column(
            "protected",
            "BOOLEAN",
            "True where amounts are rounded or hidden, so that their sums cannot be expected to "
            "close; the exact ones were held to it when they were made.",
        ),
    ),
)

LINEAGE = Table(
    "lineage",
    "Which delivered file, under which agreement and licence, each indicator was made from.",
    ("indicator_id", "source_id", "period", "file_name", "sha256"),
    (
        Column("indicator_id", "VARCHAR", "Indicator, see the table indicators."),
        Column("source_id", "VARCHAR", "Source, as declared by the region."),
        Column("title", "VARCHAR", "Title of the source."),
        Column("agency", "VARCHAR", "Agency that delivers the source."),
        Column("agreement_id", "VARCHAR", "Agreement or licence the file was read under."),
        Column("agreement_title", "VARCHAR", "Title of that agreement or licence."),
        Column("licence", "VARCHAR", "Name of the open licence; empty for a sharing agreement."),
        Column("attribution", "VARCHAR", "Words the licence asks for."),
        Column("synthetic", "BOOLEAN", "True where the source describes synthetic people only."),
        Column("period", "VARCHAR", "Month of the delivery (YYYY-MM); empty if delivered once."),
        Column("file_name", "VARCHAR", "Name of the delivered file, as its source declares it."),
        Column("sha256", "VARCHAR", "SHA-256 of the delivered file."),
        Column("code_version", "VARCHAR", "Version of the code that made the indicator."),
    ),
)

AREA_LOOKUPS = Table(
    "area_lookups",
    "Which larger areas each LSOA belongs to: one row per level, area and LSOA. Levels are msoa21, "
    "lad24, those of the region's lookups (for example wd24 wards, icb24 integrated care boards, "
    "pcon24 constituencies, csp24 community safety partnerships, pfa24 police force areas, rgn24 "
    "regions) and custom, areas the region drew itself. Two custom areas may overlap; within any "
    "other level an LSOA stands once.",
    ("level", "area_code", "lsoa21cd"),
    (
        Column("level", "VARCHAR", "Level of the larger area: the name of its code, without cd."),
        Column("area_code", "VARCHAR", "GSS code of the area; of a custom area its id."),
        Column("area_name", "VARCHAR", "Name of the area; empty where its lookup has none."),
        Column("lsoa21cd", "VARCHAR", "GSS code of a 2021 LSOA of the region that belongs to it."),
        Column(
            "fit",
            "VARCHAR",
            "'exact': its LSOAs make up the area. 'best_fit': they are the nearest to it, each "
            "given to one area as a whole, so a sum is not quite the area's own figure.",
        ),
        Column(
            "lsoas_outside",
            "INTEGER",
            "LSOAs of the area outside the region, which no sum here includes; empty if unknown.",
            "LSOAs",
        ),
        Column(
            "source_id",
            "VARCHAR",
            "Source of the lookup; reference_areas where the areas name it; empty for custom.",
        ),
    ),
)

AREA_NEIGHBOURS = Table(
    "area_neighbours",
    "Which areas lie beside each LSOA of the region, for spatial statistics: one row per LSOA and "
    "neighbour, each pair within the region in both directions. Neighbours beyond the region's "
    "edge are there as far as its boundary file reaches. Rook contiguity is kind = 'border'; queen "
    "contiguity is 'border' and 'corner'.",
    ("lsoa21cd", "neighbour_lsoa21cd"),
    (
        Column("lsoa21cd", "VARCHAR", "GSS code of a 2021 LSOA of the region."),
        Column("neighbour_lsoa21cd", "VARCHAR", "GSS code of the 2021 LSOA beside it."),
        Column(
            "kind",
            "VARCHAR",
            "'border': they share a line, or overlap. 'corner': they meet in points alone. "
            "'nearest': one of them is an island, joined to the area nearest to it. Areas that are "
            "no more than 1 m apart count as meeting.",
        ),
        Column(
            "border_metres",
            "BIGINT",
            "Length of the line they share on the region's boundaries, which may be generalised; 0 "
            "where kind is not border.",
            "metres",
        ),
        Column("in_region", "BOOLEAN", "True where the neighbour is in the region too."),
    ),
)

RELEASE_TABLES = {
    t.name: t
    for t in (
        AREAS,
        INDICATORS,
        OBSERVATIONS,
        COMBINED_OBSERVATIONS,
        ACCOUNTING,
        LINEAGE,
        NOTES,
        AREA_LOOKUPS,
        AREA_NEIGHBOURS,
        *DERIVED,
    )
}
"""The tables of a release: nothing else is published."""

DELIVERIES = Table(
    "deliveries",
    "One row per file that arrived, whatever became of it.",
    ("source_id", "period", "version", "sha256", "outcome"),
    (
        Column("source_id", "VARCHAR", "Source, as declared by the region."),
        Column("period", "VARCHAR", "Month of the delivery (YYYY-MM); empty if delivered once."),
        Column("version", "INTEGER", "Number of the delivery for that period.", "ordinal"),
        Column("file_name", "VARCHAR", "Name of the file as it arrived."),
        Column("sha256", "VARCHAR", "SHA-256 of the file."),
        Column("bytes", "BIGINT", "Size of the file.", "bytes"),
        Column("arrived_on", "DATE", "Day the file arrived."),
        Column("outcome", "VARCHAR", "accepted, duplicate or refused."),
        Column("reason", "VARCHAR", "Code of the reason; empty where accepted."),
        Column("message", "VARCHAR", "The reason in words, for the agency."),
        Column("days_late", "INTEGER", "Days after the due day; empty if not due.", "days"),
    ),
    repeats=True,
)

DECISIONS = Table(
    "decisions",
    "One row per delivery and gate decision: what was admitted, and what was taken out first.",
    ("source_id", "period", "version"),
    (
        Column("source_id", "VARCHAR", "Source, as declared by the region."),
        Column("period", "VARCHAR", "Month of the delivery (YYYY-MM); empty if delivered once."),
        Column("version", "INTEGER", "Number of the delivery for that period.", "ordinal"),
        Column("decision", "VARCHAR", "admitted, trimmed, refused or quarantined."),
        Column("reasons", "VARCHAR", "Codes of the reasons, separated by commas."),
        Column("message", "VARCHAR", "The decision in words."),
        Column("clause", "VARCHAR", "Part of the agreement the decision rests on."),
        Column("agreement_id", "VARCHAR", "Agreement the delivery came under."),
        Column("agreement_version", "VARCHAR", "Version of that agreement."),
        Column("columns_kept", "VARCHAR", "Columns that went on, separated by commas."),
        Column("columns_dropped", "VARCHAR", "Declared columns taken out, separated by commas."),
        Column("columns_redacted", "VARCHAR", "Free text stored without the identifiers in it."),
        Column(
            "columns_undeclared",
            "VARCHAR",
            "Columns nobody declared, with the type they look like: never read.",
        ),
        Column("rows_read", "BIGINT", "Rows in the file.", "rows"),
        Column("rows_filtered", "BIGINT", "Rows the contract leaves aside.", "rows"),
        Column("rows_broken", "BIGINT", "Rows that could not be read.", "rows"),
        Column("rows_formula", "BIGINT", "Rows with a spreadsheet formula in a cell.", "rows"),
        Column("rows_duplicate", "BIGINT", "Exact repeats taken out.", "rows"),
        Column("rows_kept", "BIGINT", "Rows that went on.", "rows"),
    ),
    repeats=True,
)

CHECKS = Table(
    "checks",
    "One row per delivery and check: passed, failed or could not run.",
    ("source_id", "period", "version", "check_id"),
    (
        Column("source_id", "VARCHAR", "Source, as declared by the region."),
        Column("period", "VARCHAR", "Month of the delivery (YYYY-MM); empty if delivered once."),
        Column("version", "INTEGER", "Number of the delivery for that period.", "ordinal"),
        Column("check_id", "VARCHAR", "Stable name of the check."),
        Column("expectation", "VARCHAR", "What is expected, as the suite names it."),
        Column("column_name", "VARCHAR", "Column checked; empty for a check of the table."),
        Column("severity", "VARCHAR", "blocking or warning."),
        Column("outcome", "VARCHAR", "passed, failed or could_not_run."),
        Column("rows_checked", "BIGINT", "Rows the check looked at.", "rows"),
        Column("rows_failed", "BIGINT", "Rows that failed it.", "rows"),
        Column("meaning", "VARCHAR", "What a failure means and what would fix it."),
    ),
    repeats=True,
)

BOUNDARIES = Table(
    "boundaries",
    "How good the boundaries of the areas are: for each check a row of the whole region (empty "
    "area_code), then one of each district or finding. The check placing compares where they put "
    "live postcodes with the areas these officially belong to; the others look for areas that do "
    "not meet.",
    ("source_id", "check_id", "area_code", "other_code"),
    (
        Column("source_id", "VARCHAR", "Source of the boundaries."),
        Column(
            "check_id",
            "VARCHAR",
            "placing, validity, edges, overlap, gap, sliver or opening (a hole wide enough to be "
            "water, or an inlet).",
        ),
        Column("area_code", "VARCHAR", "District or area; empty for the whole region."),
        Column("area_name", "VARCHAR", "Name of the district; else empty."),
        Column("other_code", "VARCHAR", "Second area of an overlap, gap or sliver; else empty."),
        Column(
            "outcome",
            "VARCHAR",
            "Of placing: fine, maps_only, never_geocode or not_measured. Of the others: passed, "
            "failed or listed.",
        ),
        Column(
            "checked",
            "BIGINT",
            "Postcodes placed, or areas looked at; of validity, outlines in the file.",
            "postcodes or areas",
        ),
        Column(
            "faults", "BIGINT", "Postcodes not in their area, or findings.", "postcodes or findings"
        ),
        Column("outside", "BIGINT", "Of these postcodes, those in no area at all.", "postcodes"),
        Column(
            "left_out",
            "BIGINT",
            "Live postcodes not compared: their area of 2011 was split or redrawn, and the "
            "directory does not tell their area of 2021.",
            "postcodes",
        ),
        Column("share", "DOUBLE", "Share of postcodes in their official area.", "0 to 1"),
        Column("lower_ci", "DOUBLE", "Lower 95% confidence limit of share (Wilson).", "0 to 1"),
        Column("upper_ci", "DOUBLE", "Upper 95% confidence limit of share (Wilson).", "0 to 1"),
        Column("area_m2", "DOUBLE", "Ground of the findings.", "square metres"),
        Column("width_m", "DOUBLE", "Widest circle inside them.", "metres"),
        Column("meaning", "VARCHAR", "What it means, in words."),
    ),
    repeats=True,
)

VINTAGES = Table(
    "vintages",
    "Of which census year the LSOA codes of each delivery are, as found from the codes themselves. "
    "Codes are counted once however many records have them. In a release only of open sources.",
    ("source_id", "period"),
    (
        Column("source_id", "VARCHAR", "Source."),
        Column("period", "VARCHAR", "Month of the delivery; all for one delivered once."),
        Column("vintage", "VARCHAR", "2011, 2021, mixed or unknown."),
        Column(
            "confidence",
            "DOUBLE",
            "(a + 1) / (n + 2), where a of the n codes that exist in one vintage only agree.",
            "0 to 1",
        ),
        Column("only_2011", "BIGINT", "Codes that exist in 2011 only.", "codes"),
        Column("only_2021", "BIGINT", "Codes that exist in 2021 only.", "codes"),
        Column("both", "BIGINT", "Codes of areas that did not change.", "codes"),
        Column("unknown", "BIGINT", "Codes of neither vintage.", "codes"),
    ),
)

PLAUSIBILITY = Table(
    "plausibility",
    "What one source says held against what another does, by check, district and month: a check "
    "fails where the two are further apart than its tolerance. A release has only the outcomes of "
    "checks that look at open data alone, without the counts.",
    ("check_id", "lad24cd", "period"),
    (
        Column("check_id", "VARCHAR", "Check, as its file names it."),
        Column("title", "VARCHAR", "What is held against what."),
        Column("lad24cd", "VARCHAR", "GSS code of the district; empty for the whole region."),
        Column("period", "VARCHAR", "Month compared (YYYY-MM); empty where there is none."),
        Column("left", "BIGINT", "Count on the left; empty in a release.", "see the check"),
        Column("right", "BIGINT", "Count on the right; empty in a release.", "see the check"),
        Column("ratio", "DOUBLE", "Left over right; empty in a release.", "ratio"),
        Column("lower", "DOUBLE", "Lower end of the tolerance.", "see the check"),
        Column("upper", "DOUBLE", "Upper end of the tolerance.", "see the check"),
        Column("outcome", "VARCHAR", "passed, failed, could_not_run or not_published."),
        Column("meaning", "VARCHAR", "What the outcome may mean."),
    ),
    repeats=True,
)

QUALITY_TABLES = {
    t.name: t
    for t in (DELIVERIES, DECISIONS, CHECKS, ACCOUNTING, VINTAGES, BOUNDARIES, PLAUSIBILITY)
}
"""What the quality page is made from."""

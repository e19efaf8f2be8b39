"""Make the figures that may be published, from the exact ones.

Belongs here: the tables of protected figures, of combined figures, and of what the ledger will keep
of them; and when they are made again. Does not belong here: the rule (``governance/disclosure/``)
or the attack (``coarsening.py``). The exact rows never leave this package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from declarations.declared import digest
from declarations.errors import ConfigurationError, DisclosureError
from declarations.indicators import Indicator
from governance.disclosure.counts import protect_sql
from governance.disclosure.known.ledger import GENESIS
from governance.disclosure.profiles import Profile, profile
from indicators.library import least_denominator
from indicators.rates import add_rates
from indicators.tables import AREAS, RATE_COLUMNS, theme_table, themes
from intake.neighbours import NEIGHBOURS
from publishing.protection.candidate import Candidate, exact_sums, read_candidate
from publishing.protection.coarsening import Coarsening, Outcome
from publishing.protection.findings import attack_facts, write_findings
from publishing.protection.knowledge import earlier_releases, public_totals
from publishing.protection.past_releases import whole_ledger
from publishing.protection.withholding import Withheld
from warehouse.connection import limits_from_environment, run
from warehouse.lake import TableRef
from warehouse.provenance import fingerprint
from warehouse.sql import literal
from warehouse.workspace import Absent, Built, Workspace

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

PROTECTED = TableRef("linked", "protected_observations")
COMBINED = TableRef("linked", "protected_combined")
"""Figures that stand for several neighbourhoods, whose own are withheld."""

AREA_ROWS, EXACT, WITHHELD, COUNTED, SAFE, SHOWN = (
    "areas", "exact_rows", "withheld", "combined_rows", "safe_counts", "shown",
)  # fmt: skip

NOTE_OF = {"pair": "shown_with_neighbour", "msoa": "shown_for_msoa", "whole": "withheld"}
"""Note of a withheld figure, by what stands for it."""


def protect_themes(workspace: Workspace) -> Built:
    """Protect every counted indicator of every theme, and attack them.

    Numerators and denominators go through their profile and are attacked together with earlier
    releases and public totals; what could be worked back is withheld until nothing can. Rates and
    intervals are recomputed from the protected counts; published statistics pass as they stand.
    What is made from these figures is made after them (``publishing/derived/``).

    Raises
    ------
    DisclosureError
        If no safe release can be made.
    """
    made_from = _made_from(workspace)
    last = attack_facts(workspace)
    # A release that says what this candidate says is no earlier one: it is this one, published.
    own = last.content if last and last.made_from == made_from else None
    ledger = whole_ledger(workspace)
    earlier = [entry for entry in ledger.releases() if entry.content != own]
    wanted = fingerprint([made_from], [entry.head for entry in earlier])

    def produce(connection: duckdb.DuckDBPyConnection) -> str | Absent:
        scans = [s for s in (workspace.lake.scan(theme_table(n)) for n in themes(workspace)) if s]
        areas = workspace.lake.scan(AREAS)
        if not scans or areas is None:
            return Absent("no indicator could be made")
        run(
            connection,
            f"CREATE TABLE {AREA_ROWS} AS SELECT * EXCLUDE (geometry) FROM {areas}",
            table=AREAS.name,
        )
        union = " UNION ALL ".join(f"SELECT {RATE_COLUMNS} FROM {s}" for s in scans)
        run(connection, f"CREATE TABLE {EXACT} AS {union}", table=EXACT)
        _check_statistics(workspace)
        _check_profiles(workspace)
        candidate = read_candidate(workspace, connection, EXACT, AREA_ROWS)
        names = [entry.release_id for entry in earlier]
        outcome = _attacked(workspace, connection, candidate, names)
        write_findings(
            workspace, connection, candidate, outcome,
            made_from=made_from, earlier=names,
            ledger_head=earlier[-1].head if earlier else GENESIS,
        )  # fmt: skip
        _write_combined(workspace, connection, candidate, outcome.withheld, wanted)
        _protect(workspace, connection, candidate, outcome.withheld)
        return f"SELECT * FROM {SHOWN} ORDER BY ALL"

    return workspace.build(
        PROTECTED, fingerprint=wanted, produce=produce,
        inputs=[f"indicator_{n}" for n in themes(workspace)],
    )  # fmt: skip


def _check_profiles(workspace: Workspace) -> None:
    """Stop where an indicator is published for shorter periods than its profile lets it be.

    Raises
    ------
    ConfigurationError
    """
    for indicator in workspace.declared.indicators.values():
        shorter = sorted({o.window for o in indicator.outputs} - {"year"})
        if indicator.numerator and shorter and profile(indicator.profile).whole_years_only:
            raise ConfigurationError(
                f"Indicator {indicator.id} is published for a {shorter[0]}, and profile "
                f"{indicator.profile} is for whole years only",
                "Give it outputs with window: year, or another profile",
            )


def _indicators(workspace: Workspace) -> list[Indicator]:
    """Return the indicators, none with a smaller denominator than its profile lets be shown."""
    declared = workspace.declared
    return [
        i.model_copy(update={"minimum_denominator": least_denominator(i, declared)})
        for i in declared.indicators.values()
    ]


def profile_of(workspace: Workspace, indicator_id: str) -> Profile:
    """Return the profile an indicator is published under."""
    return profile(workspace.declared.indicators[indicator_id].profile)


def _made_from(workspace: Workspace) -> str:
    declared = workspace.declared
    return fingerprint(
        ["protected", workspace.code_version, declared.region.publication.profile],
        [digest(*declared.indicators.values()), digest(declared.region)],
        [digest(*(profile_of(workspace, name) for name in declared.indicators))],
        [f"{name}={workspace.state_of(theme_table(name))}" for name in themes(workspace)],
        [workspace.state_of(AREAS), workspace.state_of(NEIGHBOURS)],
    )


def _attacked(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    candidate: Candidate,
    earlier: Sequence[str],
) -> Outcome:
    """Return what of a candidate withstands everything that is known beside it."""
    known = [
        earlier_releases(workspace, earlier),
        public_totals(workspace.declared, candidate, connection, AREA_ROWS),
    ]
    limits = workspace.limits or limits_from_environment()
    return Coarsening(
        candidate,
        known,
        lambda name: profile_of(workspace, name),
        lambda derived: exact_sums(connection, AREA_ROWS, derived),
        _neighbours(workspace, connection),
        workers=limits.threads,
    ).run()


def _neighbours(
    workspace: Workspace, connection: duckdb.DuckDBPyConnection
) -> Mapping[str, Sequence[str]]:
    scan = workspace.lake.scan(NEIGHBOURS)
    if scan is None:
        return {}
    rows = run(
        connection,
        f"SELECT lsoa21cd, list(neighbour_lsoa21cd ORDER BY 1) FROM {scan} GROUP BY 1",
        table=NEIGHBOURS.name,
    ).fetchall()
    return dict(rows)


def _protect(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    candidate: Candidate,
    withheld: Withheld,
) -> None:
    """Create the table of everything that is shown."""
    indicators = _indicators(workspace)
    statistics = [i.id for i in indicators if i.kind == "statistic"]
    connection.register(WITHHELD, _withheld_table(candidate, withheld))
    run(connection, _safe_counts_sql(indicators), [statistics], table=SAFE)
    add_rates(connection, SAFE, indicators).select(RATE_COLUMNS).create(SHOWN)
    run(
        connection,
        f"INSERT INTO {SHOWN} SELECT {RATE_COLUMNS} FROM {EXACT} "
        "WHERE list_contains(?, indicator_id)",
        [statistics],
        table=SHOWN,
    )


def _write_combined(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    candidate: Candidate,
    withheld: Withheld,
    wanted: str,
) -> None:
    """Write the figures that stand for several neighbourhoods, protected like any other."""
    indicators = _indicators(workspace)
    connection.register(COUNTED, _combined_table(candidate, withheld))
    names = "indicator_id, period_start, period_end, period_label, geography_type, geography_code"
    run(
        connection,
        f"CREATE TABLE combined_safe AS SELECT {names}, lad24cd, "
        f"{_by_profile(indicators, 'numerator')} AS numerator, "
        f"{_by_profile(indicators, 'denominator')} AS denominator, "
        "false AS estimated, CAST(NULL AS VARCHAR) AS note_id, false AS missing, members "
        f"FROM {COUNTED}",
        table=COMBINED.name,
    )
    add_rates(connection, "combined_safe", indicators).create("combined_shown")
    workspace.lake.write(
        connection,
        COMBINED,
        f"SELECT {RATE_COLUMNS}, members FROM combined_shown ORDER BY ALL",
        fingerprint=wanted,
        code_version=workspace.code_version,
    )


def _combined_table(candidate: Candidate, withheld: Withheld) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    rows = []
    for combined in withheld.combined.values():
        first = candidate.rows[combined.span.at(combined.members[0])]
        terms = candidate.combined_terms(combined.span, combined.members)
        rows.append(
            {
                "indicator_id": combined.span.indicator_id,
                "period_start": combined.span.period_start,
                "period_end": combined.span.period_end,
                "period_label": first.period_label,
                "geography_type": combined.kind,
                "geography_code": combined.code,
                "lad24cd": first.lad24cd,
                "numerator": terms["numerator"],
                "denominator": terms["denominator"],
                "members": " ".join(combined.members),
            }
        )
    text, whole = pa.string(), pa.int64()
    schema = pa.schema(
        [("indicator_id", text), ("period_start", text), ("period_end", text),
         ("period_label", text), ("geography_type", text), ("geography_code", text),
         ("lad24cd", text), ("numerator", whole), ("denominator", whole), ("members", text)]
    )  # fmt: skip
    table = pa.Table.from_pylist(rows, schema=schema)
    for name in ("period_start", "period_end"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table.column(name).cast(pa.date32()))
    return table


def _withheld_table(candidate: Candidate, withheld: Withheld) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    keys = list(withheld.rows)
    secret = [candidate.secret_terms(key) for key in keys]
    return pa.table(
        {
            "indicator_id": pa.array([k.indicator_id for k in keys], pa.string()),
            "period_start": pa.array([k.period_start for k in keys], pa.string()),
            "period_end": pa.array([k.period_end for k in keys], pa.string()),
            "geography_type": pa.array([k.geography_type for k in keys], pa.string()),
            "geography_code": pa.array([k.geography_code for k in keys], pa.string()),
            "note": pa.array([NOTE_OF[withheld.rows[k]] for k in keys], pa.string()),
            "hides_numerator": pa.array(["numerator" in s for s in secret], pa.bool_()),
            "hides_denominator": pa.array(["denominator" in s for s in secret], pa.bool_()),
        }
    )


def _check_statistics(workspace: Workspace) -> None:
    """Stop unless every statistic that passes as it stands is open data.

    The declarations refuse any other; a release must not hang on one check.
    """
    declared = workspace.declared
    for source in declared.sources_of_kind("statistics"):
        if not declared.is_open[source.id]:
            raise DisclosureError(
                f"The statistics of {source.id} are not open data and would pass unprotected",
                "Send counts (kind: values), which are protected",
            )


def _by_profile(indicators: Sequence[Indicator], column: str) -> str:
    """Return SQL that protects a column of counts, each by its indicator's profile."""
    cases = []
    for name in sorted({i.profile for i in indicators if i.numerator is not None}):
        ids = ", ".join(literal(i.id) for i in indicators if i.profile == name)
        cases.append(f"WHEN indicator_id IN ({ids}) THEN {protect_sql(column, profile(name))}")
    return f"CASE {' '.join(cases)} END" if cases else "CAST(NULL AS BIGINT)"


def _safe_counts_sql(indicators: Sequence[Indicator]) -> str:
    """Return the statement that keeps only protected counts of the exact tables."""
    hidden = {
        name: f"CASE WHEN w.note IS NOT NULL AND w.hides_{name} THEN NULL ELSE e.{name} END"
        for name in ("numerator", "denominator")
    }
    return f"""
    CREATE TABLE {SAFE} AS
    WITH kept AS (
        SELECT e.* REPLACE (
                   {hidden["numerator"]} AS numerator, {hidden["denominator"]} AS denominator,
                   nullif(concat_ws(',', e.note_id, w.note), '') AS note_id)
        FROM {EXACT} e
        LEFT JOIN {WITHHELD} w
          ON w.indicator_id = e.indicator_id AND w.geography_type = e.geography_type
         AND w.geography_code = e.geography_code
         AND CAST(w.period_start AS DATE) = e.period_start
         AND CAST(w.period_end AS DATE) = e.period_end
    )
    SELECT indicator_id, period_start, period_end, period_label, geography_type, geography_code,
           lad24cd, {_by_profile(indicators, "numerator")} AS numerator,
           {_by_profile(indicators, "denominator")} AS denominator, estimated, note_id, missing
    FROM kept
    WHERE NOT list_contains(?, indicator_id)
    ORDER BY ALL
    """

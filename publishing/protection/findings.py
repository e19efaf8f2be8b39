"""What the attack on a candidate found, and what the ledger will keep of the candidate.

Belongs here: the tables that carry both from the attack to the release. Does not belong here: the
attack (``coarsening.py``), the certificate and the ledger themselves (``governance/disclosure/``).
No true count is written: of an attacked one only between which bounds an attacker can put it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from declarations.errors import DisclosureError
from governance.disclosure.attacker.system import UNBOUNDED
from governance.disclosure.counts import protect
from governance.disclosure.known.ledger_tables import LedgerTables, canonical, content_hash
from governance.disclosure.profiles import profile
from publishing.protection.candidate import Candidate, RowKey
from publishing.protection.coarsening import Outcome
from publishing.protection.past_releases import whole_ledger
from publishing.protection.targets import Target
from publishing.protection.withholding import Combined
from warehouse.lake import TableRef
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

ATTACKED = TableRef("linked", "attacked_counts")
WITHHELD = TableRef("linked", "withheld_figures")
ATTACK = TableRef("linked", "attack")
STATEMENTS = {
    name: TableRef("linked", f"statements_{name}")
    for name in ("definitions", "definition_parts", "cells", "members", "tokens")
}
"""What a release made of the candidate will put on the ledger."""


@dataclass(frozen=True)
class AttackFacts:
    """The attack as a whole.

    Attributes
    ----------
    made_from : str
        Fingerprint of everything the candidate was made from.
    content : dict of str to str
        Hash of each table the ledger would keep of it.
    ledger_head : str
        Of the ledger the candidate was attacked with.
    earlier : list of str
        Releases it was attacked with.
    rounds : int
    solver : str
    tolerance : str
    linear, whole : int
        Programmes solved.
    insider : bool
        Whether people who know their own record were considered.
    hidden_total : int or None
        Sum of the hidden counts; only the certificate's coarse form of it is ever told.
    mean_change : float or None
        Mean difference between shown and true counts; likewise.
    """

    made_from: str
    content: dict[str, str]
    ledger_head: str
    earlier: list[str]
    rounds: int
    solver: str
    tolerances: dict[str, float]
    linear: int
    whole: int
    insider: bool
    hidden_total: int | None
    mean_change: float | None


def write_findings(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    candidate: Candidate,
    outcome: Outcome,
    *,
    made_from: str,
    earlier: Sequence[str],
    ledger_head: str,
) -> None:
    """Write what was found and what the ledger would keep, for the release to take up."""
    statements = canonical(statement_tables(workspace, candidate, outcome))
    for name, table in statements.items():
        _write(workspace, connection, STATEMENTS[name], table)
    _write(workspace, connection, ATTACKED, _attacked_table(outcome))
    _write(workspace, connection, WITHHELD, _withheld_table(outcome))
    facts = AttackFacts(
        made_from=made_from,
        content={name: content_hash(table) for name, table in statements.items()},
        ledger_head=ledger_head,
        earlier=sorted(earlier),
        rounds=outcome.rounds,
        solver=", ".join(sorted({e.solver for e in outcome.examinations})),
        tolerances={k: v for e in outcome.examinations for k, v in e.tolerances.items()},
        linear=sum(e.linear_programmes for e in outcome.examinations),
        whole=sum(e.integer_programmes for e in outcome.examinations),
        insider=all(e.insider for e in outcome.examinations),
        hidden_total=outcome.hidden_total,
        mean_change=_mean_change(workspace, outcome),
    )
    import pyarrow as pa  # noqa: PLC0415 - heavy

    text = json.dumps(asdict(facts), sort_keys=True)
    _write(workspace, connection, ATTACK, pa.table({"facts": [text]}))


def _mean_change(workspace: Workspace, outcome: Outcome) -> float | None:
    """Return by how much the counts that are shown differ from the true ones, on average."""
    changes = []
    for figure in outcome.figures:
        chosen = profile(workspace.declared.indicators[figure.key.indicator_id].profile)
        shown = protect(figure.exact, chosen).value
        if shown is not None and figure.key not in outcome.withheld.rows:
            changes.append(abs(shown - figure.exact))
    return sum(changes) / len(changes) if changes else None


def attack_facts(workspace: Workspace) -> AttackFacts | None:
    """Return the facts of the last attack, or None where there was none."""
    rows = read_rows(workspace, ATTACK)
    return AttackFacts(**json.loads(rows[0]["facts"])) if rows else None


def refuse_unless_attacked(workspace: Workspace) -> None:
    """Stop unless the candidate that stands was attacked with everything released so far.

    Raises
    ------
    DisclosureError
    """
    facts = attack_facts(workspace)
    # What says the same as the candidate adds nothing to what is known.
    if facts is None or any(
        r.release_id not in facts.earlier and r.content != facts.content
        for r in whole_ledger(workspace).releases()
    ):
        raise DisclosureError(
            "The candidate was not attacked with every earlier release in hand; nothing was "
            "published",
            f"Run 'lsoalink run {workspace.declared.root.name}' again",
        )


def read_rows(workspace: Workspace, table: TableRef) -> list[dict[str, Any]]:
    """Return the rows of one of this module's tables; none where it is not there."""
    found = read_table(workspace, table)
    return [] if found is None else found.to_pylist()


def read_table(workspace: Workspace, table: TableRef) -> pa.Table | None:
    """Return one of this module's tables, or None."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    path = workspace.lake.path(table)
    return pq.read_table(path) if path.is_file() else None


def read_statements(workspace: Workspace) -> LedgerTables:
    """Return what the ledger is to keep of the candidate."""
    found = {name: read_table(workspace, table) for name, table in STATEMENTS.items()}
    return LedgerTables(**found)


def statement_tables(workspace: Workspace, candidate: Candidate, outcome: Outcome) -> LedgerTables:
    """Return a candidate as the ledger keeps a release: equations and bounds, no count."""
    spans = _definition_rows(outcome)
    used = {row["definition_id"] for row in spans}
    parts = [
        {"definition_id": name, **part._asdict()}
        for name in sorted(used)
        for part in sorted(outcome.statements.definitions[name])
    ]
    pairs = {(p["source_id"], p["period"], p["state"]) for p in parts}
    return LedgerTables(
        definitions=_table(spans, "definition_id", "indicator_id", "term", "geography_type",
                           "period_start", "period_end"),
        definition_parts=_table(parts, "definition_id", "source_id", "measure", "category",
                                "period", "state"),
        cells=_cells(workspace, outcome),
        members=_table(
            [{"area_code": c.code, "lsoa21cd": lsoa}
             for c in _distinct(outcome.withheld.combined.values()) for lsoa in c.members],
            "area_code", "lsoa21cd",
        ),
        tokens=_tokens_table(candidate, pairs),
    )  # fmt: skip


def _distinct(combined: Iterable[Combined]) -> list[Combined]:
    """Return one combined figure of each area."""
    return list({c.code: c for c in combined}.values())


def _definition_rows(outcome: Outcome) -> list[dict[str, Any]]:
    """Return each definition once: of several figures that sum the same, the first names it."""
    rows: dict[str, dict[str, Any]] = {}
    figures = sorted(outcome.figures, key=lambda f: (f.key, f.term))
    for figure in figures:
        name, key = figure.claim.definition_id, figure.key
        rows.setdefault(
            name,
            {
                "definition_id": name,
                "indicator_id": key.indicator_id,
                "term": figure.term,
                "geography_type": figure.claim.geography_type,
                "period_start": key.period_start,
                "period_end": key.period_end,
            },
        )
    return list(rows.values())


def _cells(workspace: Workspace, outcome: Outcome) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    indicators = workspace.declared.indicators
    rows = []
    for figure in outcome.figures:
        claim = figure.claim
        coarsened = figure.key in outcome.withheld.rows
        masked = profile(indicators[figure.key.indicator_id].profile).small.hidden_below
        hidden = claim.lower < masked
        rows.append(
            {
                "definition_id": claim.definition_id,
                "area_code": claim.area_code,
                "lower": int(claim.lower),
                "upper": None if claim.upper == UNBOUNDED else int(claim.upper),
                "profile": indicators[figure.key.indicator_id].profile,
                "status": "coarsened" if coarsened else "hidden" if hidden else "published",
            }
        )
    text, whole = pa.string(), pa.int64()
    schema = pa.schema(
        [("definition_id", text), ("area_code", text), ("lower", whole), ("upper", whole),
         ("profile", text), ("status", text)]
    )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schema)


def _tokens_table(candidate: Candidate, pairs: set[tuple[str, str, str]]) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    rows = [
        (*pair, place, token)
        for pair in sorted(pairs)
        for place, token in sorted(candidate.tokens.get(pair, {}).items())
    ]
    names = ("source_id", "period", "state", "lsoa21cd")
    columns = {name: pa.array([r[i] for r in rows], pa.string()) for i, name in enumerate(names)}
    return pa.table({**columns, "token": pa.array([r[4] for r in rows], pa.binary())})


def _attacked_table(outcome: Outcome) -> pa.Table:
    """Return every attacked count with the bounds an attacker arrives at, and no true one."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    by_number = {t.number: t for t in outcome.targets}
    otherwise = {t.number for t in outcome.known_otherwise}
    rows = []
    for examination in outcome.examinations:
        for number, low, high in zip(
            examination.targets, examination.lower, examination.upper, strict=True
        ):
            target = by_number[int(number)]
            rows.append(_attacked_row(target, float(low), float(high), int(number) in otherwise))
    text, whole = pa.string(), pa.int64()
    schema = pa.schema(
        [("indicator_id", text), ("term", text), ("period_start", text), ("period_end", text),
         ("geography_type", text), ("area_code", text), ("lower", whole), ("upper", whole),
         ("profile", text), ("known_otherwise", pa.bool_())]
    )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schema)


def _attacked_row(target: Target, low: float, high: float, otherwise: bool) -> dict[str, Any]:
    key = target.key
    return {
        "indicator_id": key.indicator_id if key else None,
        "term": target.term,
        "period_start": key.period_start if key else None,
        "period_end": key.period_end if key else None,
        "geography_type": target.level,
        "area_code": target.area,
        "lower": int(low),
        "upper": None if high == UNBOUNDED else int(high),
        "profile": target.profile,
        "known_otherwise": otherwise,
    }


def _withheld_table(outcome: Outcome) -> pa.Table:
    rows = [
        {
            **key._asdict(),
            "instead": how,
            "instead_code": _instead(outcome, key),
            "reason": outcome.withheld.reasons[key],
        }
        for key, how in sorted(outcome.withheld.rows.items())
    ]
    return _table(
        rows, "indicator_id", "period_start", "period_end", "geography_type", "geography_code",
        "instead", "instead_code", "reason",
    )  # fmt: skip


def _instead(outcome: Outcome, key: RowKey) -> str:
    """Return the area whose figure stands for a withheld one; nothing where none does."""
    if outcome.withheld.rows[key] == "pair":
        return next(
            c.code
            for c in outcome.withheld.combined.values()
            if c.span == key[:4] and key.geography_code in c.members
        )
    return outcome.nesting[key.geography_code][0] if outcome.withheld.rows[key] == "msoa" else ""


def _table(rows: Iterable[Mapping[str, Any]], *names: str) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    return pa.Table.from_pylist(list(rows), schema=pa.schema([(n, pa.string()) for n in names]))


def _write(
    workspace: Workspace, connection: duckdb.DuckDBPyConnection, table: TableRef, rows: pa.Table
) -> None:
    connection.register("finding_rows", rows)
    workspace.lake.write(
        connection,
        table,
        "SELECT * FROM finding_rows ORDER BY ALL",
        fingerprint="with protected_observations",
        code_version=workspace.code_version,
    )
    connection.unregister("finding_rows")

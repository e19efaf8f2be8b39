"""Every control by its name, running them, and checking that assessments name real ones.

Belongs here: the catalogue. Does not belong here: a check itself, or what a red one does to a risk
(``records/dpia.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from declarations.dpia import Assessment
from declarations.errors import LsoalinkError
from governance.controls import agreed, published, stored
from governance.controls.model import Control, ControlResult, Verdict, unable
from warehouse.workspace import Workspace


def _control(check: Callable[[Workspace], Verdict]) -> Control:
    words = (check.__doc__ or "").splitlines()[0].rstrip(".")
    return Control(check.__name__, words, check)


CATALOGUE: dict[str, Control] = {
    control.id: control
    for control in map(
        _control,
        (
            agreed.agreements_in_force, agreed.agreements_reviewed, agreed.purposes_agreed,
            agreed.signed_text_unchanged, agreed.every_delivery_decided,
            agreed.undeclared_columns_dropped, agreed.opt_out_evidenced, agreed.dspt_in_date,
            agreed.privacy_notice_given, stored.originals_encrypted,
            stored.restricted_tables_encrypted, stored.file_permissions_tight,
            stored.no_leftovers, stored.retention_nothing_overdue,
            published.small_counts_protected, published.no_identifier_published,
            published.releases_two_people, published.releases_unchanged,
            published.audit_chain_holds, published.outputs_agreed, published.linkages_agreed,
            published.minimum_geography_kept,
        ),
    )
}  # fmt: skip


def check_controls(assessments: Iterable[Assessment]) -> list[tuple[str, str, str]]:
    """Return assessment, risk and control of every control that is in no catalogue."""
    return [
        (assessment.id, risk.id, control)
        for assessment in assessments
        for risk in assessment.risks
        for control in risk.controls
        if control not in CATALOGUE
    ]


def run_controls(
    workspace: Workspace,
    names: Collection[str] | None = None,
    *,
    told: Callable[[ControlResult], None] | None = None,
) -> dict[str, ControlResult]:
    """Run controls on a region's data folder.

    Parameters
    ----------
    names : collection of str, optional
        Only these; a name the catalogue does not know could not run. By default all.
    told : callable, optional
        Called with each result as it comes, for progress.

    Returns
    -------
    dict
        Result by control.
    """
    results = {}
    for name in CATALOGUE if names is None else sorted(set(names)):
        control = CATALOGUE.get(name) or Control(name, "Unknown control", _unknown)
        verdict = _verdict(control, workspace)
        result = ControlResult(
            name, control.words, verdict.outcome, verdict.reason, workspace.today()
        )
        results[name] = result
        if told is not None:
            told(result)
    return results


def _unknown(workspace: Workspace) -> Verdict:
    return unable("there is no such control")


def _verdict(control: Control, workspace: Workspace) -> Verdict:
    import duckdb  # noqa: PLC0415 - heavy

    try:
        return control.check(workspace)
    except LsoalinkError as error:
        return unable(error.problem)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, duckdb.Error) as error:
        # The text of an error may quote what it choked on; its kind may be said.
        return unable(f"the check stopped ({type(error).__name__})")

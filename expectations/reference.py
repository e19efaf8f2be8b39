"""Runs a suite with GX's own pandas engine: the proof of the compiled pass.

Belongs here: the one wrapper around GX's validation, which forces a result format without values,
keeps GX's logging quiet while it runs, and takes only counts out of its results.
Does not belong here: the daily run (`execution`), which is faster and needs no copy of the table.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from expectations.compilation import columns_needed
from expectations.results import (
    NOT_NULL,
    ROW_COUNT,
    TO_EXIST,
    Measured,
    contract_outcome,
    refuse_empty,
)

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations import ExpectationSuite
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation import Expectation

    from expectations.outcomes import ContractOutcome

WITHOUT_VALUES = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
POSITION = "position"


def run_with_gx(
    frame: pd.DataFrame,
    suite: ExpectationSuite,
    *,
    source_id: str | None = None,
    period: str = "",
    version: int = 1,
) -> ContractOutcome:
    """Run a suite over a frame with GX's pandas engine.

    Parameters
    ----------
    frame : pandas.DataFrame
        The typed delivery, for example ``con.table("delivery").df()``.
    suite : great_expectations.ExpectationSuite
    source_id, period, version
        As in `execution.run_suite`.

    Returns
    -------
    ContractOutcome
        The same shape as the compiled pass gives: counts, and the class of an error.

    Raises
    ------
    ConfigurationError
        If the suite is empty.
    """
    import great_expectations as gx  # noqa: PLC0415
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

    refuse_empty(suite)
    columns = [str(name) for name in frame.columns]
    with _quiet():
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = context.data_sources.add_pandas("delivery").add_dataframe_asset("delivery")
        batch = asset.add_batch_definition_whole_dataframe("whole").get_batch(
            {"dataframe": _plain(frame)}
        )
        # GX sorts results its own way and looks an expectation up by meta: the place goes along.
        results = batch.validate(_numbered(suite), result_format=WITHOUT_VALUES).results
    found = {}
    for result in results:
        position = _position(result)
        found[position] = _measured(suite.expectations[position], result, len(frame), columns)
    delivery = (source_id or (suite.meta or {}).get("source_id", ""), period, version)
    return contract_outcome(
        suite,
        [
            found.get(position, Measured(success=None, reason="no result"))
            for position in range(len(suite.expectations))
        ],
        columns=columns,
        engine="great_expectations pandas",
        delivery=delivery,
    )


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn nullable integers and booleans, whose missing values GX cannot compare, into plain ones.

    Whole numbers beyond 2**53 in a column with missing values lose their last digits; DuckDB's
    pass does not have this limit.
    """
    changed = {}
    for name in frame.columns:
        kind, has_missing = str(frame[name].dtype), bool(frame[name].isna().any())
        if kind in ("Int64", "Int32", "Int16", "Int8"):
            changed[name] = "float64" if has_missing else "int64"
        elif kind == "boolean":
            changed[name] = "object" if has_missing else "bool"
    return frame.astype(changed)


def _numbered(suite: ExpectationSuite) -> ExpectationSuite:
    import great_expectations as gx  # noqa: PLC0415

    copies = []
    for position, expectation in enumerate(suite.expectations):
        copies.append(expectation.copy(update={"meta": {POSITION: position}}))
    return gx.ExpectationSuite(name=suite.name, expectations=copies)


def _position(result: ExpectationValidationResult) -> int:
    configuration = result.expectation_config
    meta: Mapping[str, Any] = (configuration.meta if configuration else None) or {}
    return int(meta[POSITION])


def _measured(
    expectation: Expectation, result: ExpectationValidationResult, rows: int, columns: list[str]
) -> Measured:
    kind, settings = expectation.configuration.type, expectation.configuration.kwargs
    absent = [name for name in columns_needed(kind, settings) if name not in columns]
    if absent:
        return Measured(success=None, reason=f"the column {', '.join(absent)} is missing")
    if _raised(result.exception_info):
        return Measured(success=None, reason="Great Expectations could not evaluate it")
    counts = result.result
    if kind == TO_EXIST:
        return Measured(success=result.success)
    if kind == ROW_COUNT:
        return Measured(success=result.success, rows=rows, considered=rows)
    missing = 0 if kind == NOT_NULL else counts["missing_count"]
    return Measured(
        success=result.success,
        rows=counts["element_count"],
        considered=counts["element_count"] - missing,
        unexpected=counts["unexpected_count"],
    )


def _raised(exception_info: Mapping[str, Any]) -> bool:
    """Whether GX met an error; it keeps one flag, or one record for each failed metric."""
    if "raised_exception" in exception_info:
        return bool(exception_info["raised_exception"])
    return bool(exception_info)


@contextmanager
def _quiet() -> Iterator[None]:
    # GX logs the traceback of a failed metric, and a traceback can quote a value.
    logger = logging.getLogger("great_expectations")
    was = logger.disabled, logger.propagate, logger.level
    logger.propagate, logger.level = False, logging.CRITICAL + 1
    try:
        yield
    finally:
        logger.disabled, logger.propagate, logger.level = was

"""``contracts/*.yaml``: the layout of a kind of extract, what is checked in it and what is counted.

One declaration per table: from it come the column types, the Great Expectations suite, Dagster's
column schema, the location keys and the counts. Several sources may share one contract (five
councils send the same H-CLIC layout).
Does not belong here: which agency sends what and when (``declarations/sources.py``).
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from declarations.base import Break, Declaration, Identifier, Period
from declarations.coarsening import UNKNOWN_AGE, Coarsening
from declarations.counts import NO_CATEGORY, TRUTH, UNKNOWN_CATEGORY, Count
from declarations.events import DERIVED, READ, ClientLevelData

IRISH_GRIDS = frozenset({29900, 29901, 29902, 29903, 2157})
"""EPSG numbers of the Irish Grid and of Irish Transverse Mercator."""

ColumnType = Literal["text", "integer", "number", "date", "month", "boolean"]
LocationKey = Literal["uprn", "postcode", "point", "lsoa", "output_area", "practice", "district"]
ReferenceRole = Literal[
    "areas", "hierarchy", "boundaries_2011", "lsoa_changes", "output_areas", "postcodes",
    "postcode_points", "uprns", "practices", "district_totals", "area_lookups",
]  # fmt: skip
LookupKey = Literal["lsoa21cd", "msoa21cd", "lad24cd"]
"""By which of an LSOA's own codes a lookup of larger areas may be read."""


class Column(Declaration):
    """One column of an extract."""

    name: Identifier = Field(description="Our name for the column.")
    headers: list[str] = Field(
        default_factory=list,
        description="Headings the agencies use, compared without case, blanks and BOM. "
        "Our own name is always accepted too.",
    )
    position: int | None = Field(
        default=None, ge=1, description="Place of the column in a file without a heading row."
    )
    type: ColumnType = "text"
    required: bool = Field(default=True, description="The delivery is refused without the column.")
    nullable: bool = True
    null_values: list[str] = Field(
        default_factory=list, description="Texts that mean 'missing', besides the empty cell."
    )
    description: str = ""
    unit: str | None = None
    codes: list[str] | None = Field(default=None, description="The values allowed.")
    code_list: Identifier | None = Field(
        default=None, description="Name of one of the contract's code lists."
    )
    true_values: list[str] = Field(default_factory=lambda: ["true", "yes", "y", "1", "t"])
    false_values: list[str] = Field(default_factory=lambda: ["false", "no", "n", "0", "f"])
    separator: str | None = Field(default=None, description="Splits a cell with several codes.")
    pattern: str | None = Field(default=None, description="Regular expression of a valid value.")
    minimum: float | None = None
    maximum: float | None = None
    date_format: str | None = Field(default=None, description="strptime format; default ISO.")
    additive: bool = Field(
        default=False, description="A count that may be summed, and split over areas."
    )
    never_summed: bool = Field(
        default=False,
        description="It may stand on several rows for one thing, as the cost of a package of care "
        "does: no count may sum it.",
    )
    identifier: bool = Field(
        default=False,
        description="It names a person or a property: no agreement may keep it as it is.",
    )
    blocking: bool = Field(
        default=False,
        description="An unknown code or a value outside the bounds quarantines the delivery.",
    )
    coarsen: Coarsening | None = Field(
        default=None,
        description="What is stored in its stead where an agreement has the column generalised.",
    )

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.codes is not None and self.code_list is not None:
            raise ValueError("give codes or code_list, not both")
        if (self.minimum is not None or self.maximum is not None) and self.type not in (
            "integer",
            "number",
        ):
            raise ValueError("minimum and maximum are for integer and number columns")
        if self.additive and self.type not in ("integer", "number"):
            raise ValueError("only integer and number columns are additive")
        if self.date_format and self.type not in ("date", "month"):
            raise ValueError("date_format is for date and month columns")
        return self

    @property
    def accepted_headers(self) -> list[str]:
        """Every heading that names this column, ours first."""
        return [self.name, *self.headers]


class Check(Declaration):
    """One expectation beyond those that follow from the columns themselves."""

    expect: Literal[
        "column_pair_in_order",
        "unique",
        "not_null",
        "row_count_between",
    ]
    columns: list[Identifier] = Field(default_factory=list)
    minimum: float | None = None
    maximum: float | None = None
    severity: Literal["blocking", "warning"] = "warning"
    mostly: float = Field(default=1.0, gt=0, le=1)
    why: str = Field(description="What a failure means, in words for the supplying agency.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {"column_pair_in_order": 2, "unique": 1, "not_null": 1, "row_count_between": 0}
        least = needed[self.expect]
        if len(self.columns) < least:
            raise ValueError(f"{self.expect} needs {least} column(s)")
        if self.expect == "row_count_between" and self.minimum is None and self.maximum is None:
            raise ValueError("row_count_between needs minimum or maximum")
        return self


class Location(Declaration):
    """How a row says where it is."""

    by: list[LocationKey] = Field(min_length=1, description="Keys, the most precise first.")
    uprn: Identifier | None = None
    postcode: Identifier | None = None
    x: Identifier | None = Field(default=None, description="Longitude or easting.")
    y: Identifier | None = Field(default=None, description="Latitude or northing.")
    crs: Literal["EPSG:4326", "EPSG:27700"] | None = None
    lsoa: Identifier | None = None
    output_area: Identifier | None = None
    practice: Identifier | None = None
    district: Identifier | None = Field(
        default=None,
        description="District code, for what is known by the district alone: such a row counts in "
        "its district's figures and in no neighbourhood's.",
    )
    practice_weights: Identifier | None = Field(
        default=None, description="Source whose patients by practice and LSOA are the weights."
    )
    date: Identifier | None = Field(
        default=None, description="Date that decides whether a postcode was live."
    )
    basis: Literal["last_settled", "applied_from", "placement", "registered", "place_of_event"] = (
        "registered"
    )

    @field_validator("crs", mode="before")
    @classmethod
    def _not_irish(cls, value: object) -> object:
        number = str(value).upper().removeprefix("EPSG:")
        if number.isdigit() and int(number) in IRISH_GRIDS:
            raise ValueError(
                f"EPSG:{number} is an Irish grid, whose numbers look like British ones and lie "
                "elsewhere; ask for EPSG:27700 or EPSG:4326"
            )
        return value

    @model_validator(mode="after")
    def _keys_have_columns(self) -> Self:
        for key in self.by:
            needs = ("x", "y") if key == "point" else (key,)
            for column in needs:
                if getattr(self, column) is None:
                    raise ValueError(f"locate.by names {key}, so locate.{column} names its column")
        if "point" in self.by and self.crs is None:
            raise ValueError("locate.by names point, so locate.crs is needed")
        if "practice" in self.by and self.practice_weights is None:
            raise ValueError("locate.by names practice, so locate.practice_weights is needed")
        return self

    @property
    def columns(self) -> set[str]:
        """Every column that serves to place a row."""
        names = (self.uprn, self.postcode, self.x, self.y, self.lsoa, self.output_area)
        return {n for n in (*names, self.practice, self.district) if n is not None}


class AreaLevel(Declaration):
    """One level of larger areas that a lookup gives."""

    level: str = Field(
        pattern=r"^[a-z]{2,8}[0-9]{2}$",
        description="Name of the level, as in its code column without 'cd': wd24, icb24, pcon24.",
    )
    code: Identifier = Field(description="Column with the area's code.")
    name: Identifier | None = Field(default=None, description="Column with the area's name.")
    fit: Literal["exact", "best_fit"] = Field(
        description="'exact': every LSOA lies wholly in one area. 'best_fit': by most residents."
    )


class FileFormat(Declaration):
    """How the file is to be read."""

    type: Literal["csv", "xlsx", "boundaries", "parquet"] = "csv"
    header: bool = True
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    crs: int | None = Field(default=None, description="EPSG number of a boundary file's CRS.")
    sheet: str | None = None
    drop_rows_without: Identifier | None = Field(
        default=None, description="Notes below a table have no value in this column."
    )
    keep_rows: dict[Identifier, list[str]] = Field(
        default_factory=dict, description="Only rows whose column has one of these values."
    )
    broken_rows_allowed: float = Field(
        default=0.02, ge=0, le=1, description="Share of unreadable rows above which it is refused."
    )


class Contract(Declaration):
    """The layout of one kind of extract."""

    id: Identifier
    title: str
    description: str = ""
    specification: str = Field(description="Where the layout comes from, with its version.")
    kind: Literal["records", "values", "statistics", "reference"] = Field(
        description="'records': a row is a case or event. 'values': a row holds additive counts of "
        "a place. 'statistics': published figures of an area, never summed. 'reference': lookups."
    )
    role: ReferenceRole | None = None
    health_or_care: bool = Field(
        default=False,
        description="Confidential patient or service-user information by its nature: an agreement "
        "must hold the evidence for it, whether it says so or not.",
    )
    levels_of: LookupKey | None = Field(
        default=None, description="role area_lookups: the column that names the smaller area."
    )
    levels: list[AreaLevel] = Field(
        default_factory=list, description="role area_lookups: the levels of larger areas it gives."
    )
    format: FileFormat = FileFormat()
    columns: list[Column] = Field(min_length=1)
    code_lists: dict[Identifier, list[str]] = Field(default_factory=dict)
    key: list[Identifier] = Field(
        default_factory=list, description="Columns that name a row; also the duplicate rule."
    )
    month_column: Identifier | None = Field(
        default=None,
        description="A month column whose value must lie in the months the delivery is for; rows "
        "of another month count as broken.",
    )
    checks: list[Check] = Field(default_factory=list)
    locate: Location | None = None
    events: ClientLevelData | None = Field(
        default=None,
        description="Counts are made from events, which deliveries are joined into by these rules.",
    )
    counts: list[Count] = Field(default_factory=list)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        names = [c.name for c in self.columns]
        made = list(self.made_columns)
        every = [*names, *made]
        doubled = sorted({n for n in every if every.count(n) > 1})
        if doubled:
            raise ValueError(f"columns named twice: {', '.join(doubled)}")
        if (self.kind == "reference") != (self.role is not None):
            raise ValueError("role goes with kind: reference, and only with it")
        if self.kind != "reference" and self.locate is None:
            raise ValueError(f"kind: {self.kind} needs locate")
        if self.kind in ("records", "values") and not self.counts:
            raise ValueError(f"kind: {self.kind} needs counts")
        for where, used in self._columns_used().items():
            known = {*names, *made} if where.startswith("counts.") else set(names)
            unknown = sorted(used - known)
            if unknown:
                raise ValueError(f"{where} names columns that are not declared: {unknown}")
        for column in self.columns:
            if column.code_list and column.code_list not in self.code_lists:
                raise ValueError(f"column {column.name}: code list {column.code_list} is missing")
            if not self.format.header and column.position is None:
                raise ValueError(f"column {column.name} needs position: the file has no headings")
        if self.kind == "values" and not self.value_columns:
            raise ValueError("kind: values needs at least one additive column")
        return self

    @model_validator(mode="after")
    def _sums_are_sums(self) -> Self:
        for count in self.counts:
            if self.kind == "values" and count.value not in self.value_columns:
                raise ValueError(f"counts.{count.measure}: value must be an additive column")
            if count.value in {c.name for c in self.columns if c.never_summed}:
                raise ValueError(
                    f"counts.{count.measure}: {count.value} may stand on several rows for one "
                    "thing, and is never summed"
                )
        return self

    @model_validator(mode="after")
    def _month_column_is_a_month(self) -> Self:
        months = {c.name for c in self.columns if c.type == "month"}
        if self.month_column and self.month_column not in months:
            raise ValueError(f"month_column {self.month_column} is not a column of type month")
        return self

    @model_validator(mode="after")
    def _levels_of_a_lookup(self) -> Self:
        if (self.role == "area_lookups") != bool(self.levels and self.levels_of):
            raise ValueError("levels_of and levels go with role: area_lookups, and both are needed")
        if self.role != "area_lookups" and (self.levels or self.levels_of):
            raise ValueError("levels_of and levels go with role: area_lookups, and only with it")
        named = [level.level for level in self.levels]
        if len(set(named)) != len(named):
            raise ValueError("levels: a level is named twice")
        own = {"lsoa21", "msoa21", "lad24"} & set(named)
        if own:
            raise ValueError(f"levels: {', '.join(sorted(own))} come from the region's areas")
        return self

    def _columns_used(self) -> dict[str, set[str]]:
        used: dict[str, set[str]] = {"key": set(self.key)}
        used["levels_of"] = {self.levels_of} if self.levels_of else set()
        used["levels"] = {n for level in self.levels for n in (level.code, level.name) if n}
        if self.locate:
            used["locate"] = self.locate.columns | (
                {self.locate.date} if self.locate.date else set()
            )
        for count in self.counts:
            used[f"counts.{count.measure}"] = count.columns
        if self.events:
            used["events"] = {*READ, *self.events.cleaned}
        used["coarsen.at"] = {c.coarsen.at for c in self.columns if c.coarsen and c.coarsen.at}
        used["month_column"] = {self.month_column} if self.month_column else set()
        for number, check in enumerate(self.checks):
            used[f"checks[{number}]"] = set(check.columns)
        used["format"] = set(self.format.keep_rows) | (
            {self.format.drop_rows_without} if self.format.drop_rows_without else set()
        )
        return used

    def column(self, name: str) -> Column:
        """Return a declared column by our name."""
        return next(c for c in self.columns if c.name == name)

    def codes_of(self, column: Column) -> list[str] | None:
        """Return the values a column may take, or None where it is open."""
        return self.code_lists[column.code_list] if column.code_list else column.codes

    def categories_of(self, count: Count) -> list[str] | None:
        """Return the categories a count of this contract can have, or None where they are open."""
        if count.bands:
            return [*count.bands.labels, UNKNOWN_CATEGORY]
        if count.category is None:
            return [NO_CATEGORY]
        for column in self.columns:
            if column.coarsen and column.coarsen.into == count.category:
                known = column.coarsen.labels if column.coarsen.bands else list(TRUTH)
                return [*known, UNKNOWN_AGE, UNKNOWN_CATEGORY]
        if count.category in self.made_columns:
            return list(TRUTH) if self.made_columns[count.category] == "boolean" else None
        column = self.column(count.category)
        codes = list(TRUTH) if column.type == "boolean" else self.codes_of(column)
        return None if codes is None else [*codes, UNKNOWN_CATEGORY]

    @property
    def made_columns(self) -> dict[str, str]:
        """Columns that counts may name beside those delivered, with their types."""
        made: dict[str, str] = {c.coarsen.into: c.coarsen.type for c in self.columns if c.coarsen}
        if self.events:
            made |= {**DERIVED, **{f"{name}_clean": "text" for name in self.events.cleaned}}
        return made

    def type_of(self, name: str) -> str:
        """Return the type of a delivered or made column."""
        made = self.made_columns
        return made[name] if name in made else self.column(name).type

    def sources_of(self, names: set[str]) -> set[str]:
        """Return the delivered columns that made columns of some names are made from."""
        coarse = {c.name for c in self.columns if c.coarsen and c.coarsen.into in names}
        return coarse | (set(READ) if self.events else set())

    @property
    def value_columns(self) -> list[str]:
        """The additive columns, in order."""
        return [c.name for c in self.columns if c.additive]


class Source(Declaration):
    """One agency's extract: who sends it, under which agreement, when, in which layout."""

    id: Identifier
    title: str
    agency: str
    agreement: str
    contract: Identifier
    theme: Literal["homelessness", "social_care", "digital_inclusion", "context", "geography"]
    cadence: Literal["monthly", "quarterly", "yearly", "once"]
    files: str = Field(
        description="Name pattern of the delivered files, with {period} where the month stands "
        "(YYYY-MM) unless the cadence is 'once'; * stands for anything."
    )
    open_data: str | None = Field(
        default=None, description="Path below the --open-data folder, instead of landing/<id>/."
    )
    period: Period | None = Field(
        default=None, description="The month a 'once' source describes, for example a census day."
    )
    first_period: Period | None = Field(
        default=None,
        description="The month of the first delivery expected; a quarterly source is then expected "
        "every third month, a yearly one every twelfth. By default the region's first month.",
    )
    last_period: Period | None = Field(
        default=None,
        description="The month of the last delivery expected, for a source that has ended or of "
        "which only some months are used. By default the region's last month.",
    )
    lad24cd: str | None = Field(
        default=None, description="The district that supplies it; none for a national file."
    )
    synthetic: bool = False
    headers: dict[Identifier, list[str]] = Field(
        default_factory=dict, description="Headings only this agency uses, by our column name."
    )
    breaks: list[Break] = Field(
        default_factory=list,
        description="Months from which its figures cannot be compared with earlier ones, because "
        "the agency's system, form or coverage changed.",
    )
    due_days: int = Field(default=31, ge=0, description="Days after the period's end it is due.")
    owners: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.cadence == "once":
            if "{period}" in self.files:
                raise ValueError("a 'once' source has no {period} in files")
            if self.first_period is not None or self.last_period is not None:
                raise ValueError("a 'once' source has a period, not a first_period or last_period")
        elif self.files.count("{period}") != 1:
            raise ValueError("files holds {period} once, where the month stands in the name")
        if self.first_period and self.last_period and self.last_period < self.first_period:
            raise ValueError("last_period comes before first_period")
        for piece in (self.files, self.open_data or ""):
            if ".." in piece.split("/") or piece.startswith("/"):
                raise ValueError("files and open_data stay below their folder")
        return self

    @property
    def months(self) -> int:
        """How many months one delivery covers; 0 for a source delivered once."""
        return {"monthly": 1, "quarterly": 3, "yearly": 12, "once": 0}[self.cadence]

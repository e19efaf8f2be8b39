"""What is said of the tables that are made from published figures, table by table.

Belongs here: the columns of ``publishing/derived/``'s tables, with words and units. Does not belong
here: the other tables of a release (``dictionary.py``), or the classes that describe them
(``dictionary_model.py``).
"""

from __future__ import annotations

from publishing.dictionary_model import Column, Table

_INDICATOR = Column("indicator_id", "VARCHAR", "Indicator, see the table indicators.")
_PERIOD = (
    Column("period_start", "DATE", "First day of the period."),
    Column("period_end", "DATE", "Last day of the period."),
)
_LABELLED = (*_PERIOD, Column("period_label", "VARCHAR", "The period in words."))
_AREA = (
    Column("geography_type", "VARCHAR", "Level: lsoa21, msoa21 or lad24."),
    Column("geography_code", "VARCHAR", "GSS code of the area."),
    Column("lad24cd", "VARCHAR", "GSS code of the district it lies in."),
)
_LSOA = (
    Column("lsoa21cd", "VARCHAR", "GSS code of the 2021 LSOA."),
    Column("lad24cd", "VARCHAR", "GSS code of the district it lies in."),
)
_UNIT = Column("unit", "VARCHAR", "Unit of the figures.")
_STATUS = Column("value_status", "VARCHAR", "Markers as in observations.")
_FIGURE_KEY = ("indicator_id", "geography_type", "geography_code", "period_start", "period_end")
_INDEX_KEY = ("indicator_id", "period_start", "period_end", "lsoa21cd")
_OWN = "the column unit"

SERIES_BREAKS = Table(
    "series_breaks",
    "Months from which an indicator's figures cannot be compared with earlier ones. The first "
    "figures after it are marked [b], and trends begin there.",
    ("indicator_id", "period", "kind", "reason"),
    (
        _INDICATOR,
        Column("period", "VARCHAR", "First month after the break (YYYY-MM)."),
        Column("kind", "VARCHAR", "What changed: definition, source or vintage of its areas."),
        Column("reason", "VARCHAR", "What changed, in words."),
    ),
)

SMOOTHED_FIGURES = Table(
    "smoothed_figures",
    "Unsure figures drawn towards a mean, as far as chance makes them unsure (empirical Bayes), "
    "for indicators that declare it. Hidden figures are not filled in.",
    _FIGURE_KEY,
    (
        _INDICATOR,
        *_LABELLED,
        *_AREA,
        Column("value", "DOUBLE", "The published figure.", _OWN),
        Column("smoothed", "DOUBLE", "The figure drawn to the mean.", _OWN),
        Column("weight", "DOUBLE", "Part of it that is the area's own, 0 to 1.", "part"),
        Column("prior", "DOUBLE", "The mean it was drawn to.", _OWN),
        Column("prior_area", "VARCHAR", "Mean of what: region, district or neighbours."),
        Column(
            "value_status", "VARCHAR",
            "Markers as in observations; [u] where the weight is below 0.3: mostly the mean.",
        ),
        _UNIT,
    ),
)  # fmt: skip

TRENDS = Table(
    "trends",
    "Whether an area's figures rise or fall from year to year beyond chance, from the last break "
    "in series on. Fewer than four points, or many hidden ones, make no trend.",
    ("indicator_id", "geography_type", "geography_code", "months"),
    (
        _INDICATOR,
        *_AREA,
        Column("months", "BIGINT", "Length of the periods compared.", "months"),
        Column("first_period_start", "DATE", "First day of the first period used."),
        Column("last_period_end", "DATE", "Last day of the last period used."),
        Column("points", "BIGINT", "Periods used.", "periods"),
        Column("points_hidden", "BIGINT", "Periods in between without a figure.", "periods"),
        Column("change_per_year", "DOUBLE", "Change per year.", "the column change_unit"),
        Column("lower_ci", "DOUBLE", "Lower 95% confidence limit.", "the column change_unit"),
        Column("upper_ci", "DOUBLE", "Upper 95% confidence limit.", "the column change_unit"),
        Column("change_unit", "VARCHAR", "Per cent, or percentage points for shares, per year."),
        Column(
            "direction", "VARCHAR",
            "rising, falling, no clear change, too few points, or not judged.",
        ),
        Column("break_start", "DATE", "First day after the last break; empty if there is none."),
        Column("break_reason", "VARCHAR", "What changed there."),
        Column(
            "value_status", "VARCHAR",
            "[b] the trend starts at a break; [z] no trend; [u] a stock or an estimate, whose "
            "change is not judged.",
        ),
    ),
)  # fmt: skip

COMPARISONS = Table(
    "comparisons",
    "Each figure against that of its district and of the region: beyond chance or not.",
    (*_FIGURE_KEY, "benchmark"),
    (
        _INDICATOR,
        *_LABELLED,
        *_AREA,
        Column("value", "DOUBLE", "The published figure.", _OWN),
        Column("lower_ci", "DOUBLE", "Lower 95% confidence limit.", _OWN),
        Column("upper_ci", "DOUBLE", "Upper 95% confidence limit.", _OWN),
        Column("benchmark", "VARCHAR", "What it is held against: district or region."),
        Column("benchmark_value", "DOUBLE", "The benchmark's figure.", _OWN),
        Column("benchmark_start", "DATE", "First day it covers; may be earlier than the figure's."),
        Column("benchmark_end", "DATE", "Last day it covers; may be earlier than the figure's."),
        Column(
            "result", "VARCHAR",
            "better, similar or worse; higher, similar or lower where neither end is better.",
        ),
        Column(
            "funnel", "VARCHAR",
            "Where it lies in a funnel around the benchmark: within, or beyond the limits of 95 % "
            "or 99.8 %.",
        ),
        _STATUS,
        _UNIT,
    ),
)  # fmt: skip

INEQUALITY = Table(
    "inequality",
    "How much a figure differs between the most and the least deprived neighbourhoods: slope and "
    "relative index of inequality.",
    ("indicator_id", "geography_type", "geography_code", "period_start", "period_end"),
    (
        _INDICATOR,
        *_LABELLED,
        Column("geography_type", "VARCHAR", "region or lad24."),
        Column("geography_code", "VARCHAR", "Id of the region, or GSS code of the district."),
        Column("deprivation_id", "VARCHAR", "Indicator by which neighbourhoods were ordered."),
        Column("groups", "BIGINT", "10 (tenths) or 5 (fifths).", "groups"),
        Column("areas", "BIGINT", "Neighbourhoods used.", "areas"),
        Column("areas_hidden", "BIGINT", "Of these, those whose count is hidden.", "areas"),
        Column("sii", "DOUBLE", "Slope index: most less least deprived.", _OWN),
        Column("sii_lower", "DOUBLE", "Its lower 95% confidence limit.", _OWN),
        Column("sii_upper", "DOUBLE", "Its upper 95% confidence limit.", _OWN),
        Column("rii", "DOUBLE", "Relative index: most over least; empty if too unsure.", "ratio"),
        Column("rii_lower", "DOUBLE", "Its lower 95% confidence limit.", "ratio"),
        Column("rii_upper", "DOUBLE", "Its upper 95% confidence limit.", "ratio"),
        Column(
            "value_status", "VARCHAR",
            "[z] too few neighbourhoods, [c] a group shows no count, [u] most counts are hidden.",
        ),
        _UNIT,
    ),
)  # fmt: skip

INDEX_RANKS = Table(
    "index_ranks",
    "Every composite index: score and rank of each neighbourhood, and how sure they are.",
    _INDEX_KEY,
    (
        _INDICATOR,
        *_PERIOD,
        *_LSOA,
        Column("score", "DOUBLE", "The index: higher is worse.", "score"),
        Column("rank", "DOUBLE", "1 is the worst; ties share the mean of their ranks.", "rank"),
        Column("areas", "BIGINT", "How many neighbourhoods are ranked.", "areas"),
        Column("rank_low", "DOUBLE", "Lower end of the 90 % rank interval.", "rank"),
        Column("rank_high", "DOUBLE", "Upper end of the 90 % rank interval.", "rank"),
        Column("p_worst_fifth", "DOUBLE", "Probability that it is in the worst fifth.", "part"),
        Column("class", "VARCHAR", "What that probability allows to be said, in words."),
        Column("weight_present", "DOUBLE", "Part of the weight whose inputs are known.", "part"),
        _STATUS,
    ),
)

INDEX_COMPONENTS = Table(
    "index_components",
    "Every composite index taken apart: the score of each neighbourhood in each component.",
    (*_INDEX_KEY, "component"),
    (
        _INDICATOR,
        *_PERIOD,
        *_LSOA,
        Column("component", "VARCHAR", "Machine name of the component."),
        Column("title", "VARCHAR", "The component in words."),
        Column("score", "DOUBLE", "Its score: higher is worse.", "score"),
        Column("rank", "DOUBLE", "1 is the worst; ties share the mean of their ranks.", "rank"),
        Column("weight", "DOUBLE", "Its part of the index, 0 to 1.", "part"),
        _STATUS,
    ),
)

INDEX_SENSITIVITY = Table(
    "index_sensitivity",
    "How far each composite index hangs on each of its inputs and weights.",
    ("indicator_id", "period_start", "period_end", "kind", "name"),
    (
        _INDICATOR,
        *_PERIOD,
        Column("kind", "VARCHAR", "What was changed: an input left out, or a weight."),
        Column("name", "VARCHAR", "The input or component."),
        Column("title", "VARCHAR", "The same in words."),
        Column("mean_rank_change", "DOUBLE", "Ranks an area moves on average.", "ranks"),
        Column(
            "worst_fifth_changed", "DOUBLE", "Part of the worst fifth that leaves it.", "part"
        ),
        Column("kendall_tau", "DOUBLE", "Rank correlation with the whole index.", "-1 to 1"),
        Column("areas", "BIGINT", "Neighbourhoods compared.", "areas"),
    ),
)  # fmt: skip

HOTSPOTS = Table(
    "hotspots",
    "Where high or low figures lie together, by local Moran's I and Getis-Ord Gi*, with the false "
    "discovery rate held at 5 %.",
    ("indicator_id", "period_start", "period_end", "method", "lsoa21cd"),
    (
        _INDICATOR,
        *_PERIOD,
        *_LSOA,
        Column("method", "VARCHAR", "local_moran or gi_star."),
        Column("statistic", "DOUBLE", "Local Moran's I, or the z-score of Gi*.", "statistic"),
        Column("p_value", "DOUBLE", "Two-sided pseudo p-value from permutations.", "part"),
        Column(
            "class", "VARCHAR",
            "local_moran: high among high, low among low, high among low, low among high; gi_star: "
            "hot spot, cold spot; both: not significant. Empty where there is none.",
        ),
        Column("neighbours_used", "INTEGER", "Neighbours with a figure, outside too.", "areas"),
        Column(
            "neighbours_outside", "INTEGER",
            "Neighbours beyond the region without a figure: above 0, read the class with care.",
            "areas",
        ),
        Column(
            "value_status", "VARCHAR",
            "Markers as in observations; [u] too few areas have a figure; [z] no class can be "
            "told, [e][z] because the figures are estimated.",
        ),
    ),
)  # fmt: skip

NEED_AND_SERVICE = Table(
    "need_and_service",
    "What is used of a service against what the area's people would be expected to use: areas, "
    "never people.",
    _FIGURE_KEY,
    (
        _INDICATOR,
        *_LABELLED,
        *_AREA,
        Column("observed", "BIGINT", "Published count of use.", "see the indicator"),
        Column("expected_age", "DOUBLE", "Expected from the groups' rates.", "see the indicator"),
        Column("expected_need", "DOUBLE", "The same, adjusted for need.", "see the indicator"),
        Column("ratio", "DOUBLE", "Observed over expected.", "ratio"),
        Column("lower", "DOUBLE", "Its lower 95% confidence limit.", "ratio"),
        Column("upper", "DOUBLE", "Its upper 95% confidence limit.", "ratio"),
        Column("need_score", "DOUBLE", "Expected use per person over the region's.", "ratio"),
        Column("need_lower", "DOUBLE", "Its lower 95% confidence limit.", "ratio"),
        Column("need_upper", "DOUBLE", "Its upper 95% confidence limit.", "ratio"),
        Column("need_clearly_high", "BOOLEAN", "Need above the region's, beyond chance."),
        Column("use_clearly_low", "BOOLEAN", "Use below expected, beyond chance and scatter."),
        Column("use_clearly_high", "BOOLEAN", "Use above expected, beyond chance and scatter."),
        Column(
            "class", "VARCHAR",
            "unmet need candidate (need clearly high and use clearly low), less use than expected, "
            "use as expected, more use than expected, or cannot be said.",
        ),
        Column("coverage", "DOUBLE", "Reach of the service there.", "the column coverage_unit"),
        Column("coverage_unit", "VARCHAR", "Unit of the coverage."),
        Column("adjusted_for", "VARCHAR", "Indicators of need adjusted for."),
        Column("not_adjusted", "VARCHAR", "Why it is not adjusted, if it is not."),
        _STATUS,
    ),
)  # fmt: skip

DERIVED = (
    SERIES_BREAKS,
    SMOOTHED_FIGURES,
    TRENDS,
    COMPARISONS,
    INEQUALITY,
    INDEX_RANKS,
    INDEX_COMPONENTS,
    INDEX_SENSITIVITY,
    HOTSPOTS,
    NEED_AND_SERVICE,
)
"""The tables of ``publishing/derived/``, in their order."""

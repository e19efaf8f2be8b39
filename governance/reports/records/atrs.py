"""Drafts of Algorithmic Transparency Recording Standard records, one for each modelled indicator.

Modelled are composite indices and observed against expected use: what points at places where
somebody may act. Belongs here: the fields of Tier 1 and Tier 2 (gov.uk guidance, 8 May 2025; field
names from memory, to be checked against the template in force), filled from the indicator, its
inputs, their sources and agreements. What no declaration knows is marked, with the reason. Does not
belong here: judging whether a record is due.
"""

from __future__ import annotations

from pathlib import Path

from declarations.declared import RegionDeclarations
from declarations.indicators import Indicator
from declarations.indices import IndexMethod
from governance.agreement_text.words import day_words, listed
from governance.lifecycle.holdings import MANIFEST, read_json, releases
from governance.reports.pages import Cell, Facts, Grid, Light, Page, Section, Text, html_page
from governance.reports.register import Register

BLANK = "TO BE COMPLETED"

MODELLED = frozenset({"composite", "expected"})
"""Kinds of indicators that a record is drafted for."""

AREAS_ONLY = (
    "It works at area level only: it compares neighbourhoods and districts from published counts "
    "and never scores, ranks or flags a person or a household. It must not be used to decide "
    "anything about a person or a household."
)
"""What a record says of its scope, in plain words."""

NOT_A_PERSON = (
    "What is true of an area need not be true of anybody who lives there (the ecological fallacy). "
    "A figure read as a score of people would be wrong about most of them. The software works out "
    "figures for areas only and refuses any other level; what a reader does with a figure, it "
    "cannot prevent."
)

LEVEL_WORDS = {
    "lsoa21": "neighbourhoods (2021 LSOAs)", "msoa21": "2021 MSOAs", "lad24": "districts",
}  # fmt: skip

NORMALISED = {
    "rank_exponential": "ranked and exponentially transformed",
    "min_max": "scaled between the lowest and the highest",
    "z_score": "standardised",
}
JOINED = {
    "arithmetic": "A weighted mean", "geometric": "A weighted geometric mean",
    "equal_components": "A mean, with equal weights for its components,",
}  # fmt: skip


def blank(why: str) -> Light:
    """Return the mark of a field that a person must fill, with the reason."""
    return Light("soon", f"{BLANK}: {why}")


def atrs_files(register: Register, root: Path) -> dict[str, str]:
    """Return ``atrs-<id>.html`` for each modelled indicator that is or will be published."""
    found = {}
    for indicator in register.declared.indicators.values():
        if indicator.kind in MODELLED:
            page = atrs_page(register, indicator, published_in(root, indicator))
            found[f"atrs-{indicator.id.lower()}.html"] = html_page(page)
    return found


def published_in(root: Path, indicator: Indicator) -> list[str]:
    """Return the releases an indicator was published in."""
    found = []
    for release in releases(root):
        lineage = (read_json(release.folder / MANIFEST) or {}).get("lineage") or []
        if any(row.get("indicator_id") == indicator.id for row in lineage):
            found.append(release.folder.name)
    return found


def atrs_page(register: Register, indicator: Indicator, published: list[str]) -> Page:
    """Return the draft record of one modelled indicator."""
    declared = register.declared
    sections = (
        _tier_1(declared, indicator),
        _owner(declared, indicator),
        _description(indicator),
        _decisions(indicator, published),
        _specification(declared, indicator),
        _weights(declared, indicator),
        _data(declared, indicator),
        _risks(register, indicator),
    )
    return Page(
        title=f"Transparency record (draft): {indicator.title}",
        eyebrow="Algorithmic Transparency Recording Standard, Tier 1 and Tier 2",
        lead=f"Draft of {day_words(register.today)}, made from the declarations. A person must "
        f"complete what is marked {BLANK} and clear it before it is published.",
        banner=register.synthetic,
        sections=sections,
        foot=(("Indicator", f"{indicator.id} {indicator.name}, version {indicator.version}"),),
    )


def _tier_1(declared: RegionDeclarations, indicator: Indicator) -> Section:
    rows: tuple[tuple[str, Cell], ...] = (
        ("Name", indicator.title),
        ("Description", indicator.description),
        ("Website URL", blank("the address at which the release is served is no declaration")),
        ("Contact email", declared.region.publication.contact),
    )
    return Section("tier-1", "Tier 1: summary", (Facts(rows),))


def _owner(declared: RegionDeclarations, indicator: Indicator) -> Section:
    rows: tuple[tuple[str, Cell], ...] = (
        ("1.1 Organisation", declared.region.publication.publisher),
        ("1.2 Team", indicator.owner),
        ("1.3 Senior responsible owner", blank("a named role must take it on")),
        ("1.4 Third-party involvement", blank("say whether a supplier runs the platform for you")),
        (
            "1.4 Third-party role and access to data",
            blank("as above; write 'none' if there is none"),
        ),
    )
    return Section("owner", "Tier 2, 1: owner and responsibility", (Facts(rows),))


def _description(indicator: Indicator) -> Section:
    rows: tuple[tuple[str, Cell], ...] = (
        ("2.1 Detailed description", indicator.description),
        ("2.2 Scope", f"{AREAS_ONLY} " + " ".join(indicator.caveats)),
        ("2.3 Benefit", indicator.rationale),
        ("2.4 Previous process", blank("how places were chosen before is known to you alone")),
        (
            "2.5 Alternatives considered",
            blank("say which other measures were weighed"),
        ),
    )
    return Section("description", "Tier 2, 2: description and rationale", (Facts(rows),))


def _decisions(indicator: Indicator, published: list[str]) -> Section:
    out = f"One {indicator.unit} for each of {_levels(indicator)}, with a map and a table."
    seen = f"Published in {listed(published)}." if published else "Not published yet."
    rows: tuple[tuple[str, Cell], ...] = (
        ("3.1 Integration into the process", blank("which decisions it steers, and how much")),
        ("3.2 Provided information", out),
        ("3.3 Frequency and scale of usage", f"{seen} One figure each release."),
        ("3.3 Who uses it", blank("say who uses it, how often and for how many decisions")),
        ("3.4 Human decisions and review",
         blank("name those who decide and what else they look at; the figure decides nothing")),
        ("3.5 Required training", blank("what users are taught about its limits")),
        ("3.6 Appeals and review", blank("how a resident or provider can question its use")),
    )  # fmt: skip
    return Section("decisions", "Tier 2, 3: deployment context", (Facts(rows),))


def _specification(declared: RegionDeclarations, indicator: Indicator) -> Section:
    rows: tuple[tuple[str, Cell], ...] = (
        ("4.1 System architecture",
         "A pipeline that counts records by neighbourhood, protects the counts, and computes the "
         "figure from the protected figures alone, so that anybody can compute it again."),
        ("4.1 Phase", blank("idea, design, beta or production")),
        ("4.1 Maintenance", f"Computed again for each release; owner {indicator.owner}."),
        ("4.2 Model", _model(indicator)),
        ("4.2 Inputs", f"{len(indicator.made_of)} published indicators, listed below."),
        ("4.2 Performance", blank("compare it with a survey or an outcome you trust")),
        ("4.2 Geography", f"{declared.region.title}; {_levels(indicator)}."),
    )  # fmt: skip
    return Section("specification", "Tier 2, 4: tool specification", (Facts(rows),))


def _levels(indicator: Indicator) -> str:
    found = {o.level for o in indicator.outputs}
    return listed(words for level, words in LEVEL_WORDS.items() if level in found)


def _model(indicator: Indicator) -> str:
    if indicator.index:
        method = indicator.index
        return (
            f"{JOINED[method.aggregation]} of inputs that are {NORMALISED[method.normalisation]}. "
            "No machine learning; no training on data about people."
        )
    adjusted = (
        ", adjusted for the predictors of need by a Poisson regression over areas"
        if indicator.expected and indicator.expected.predictors
        else ""
    )
    return (
        "Indirect standardisation: use expected from the region's published rates of each group "
        f"and the area's people{adjusted}. Observed use is divided by it. No machine learning; no "
        "training on data about people."
    )


def _weights(declared: RegionDeclarations, indicator: Indicator) -> Section:
    if indicator.index:
        return _index_inputs(declared, indicator.index)
    return _expected_inputs(declared, indicator)


def _named(declared: RegionDeclarations, identifier: str) -> str:
    part = declared.indicators.get(identifier)
    return f"{identifier} {part.title if part else ''}".strip()


def _index_inputs(declared: RegionDeclarations, method: IndexMethod) -> Section:
    component_of = {i.indicator: c for c in method.components for i in c.inputs}
    shares = method.shares
    rows = []
    for part in sorted(method.inputs, key=lambda i: -shares[i.indicator]):
        component = component_of[part.indicator]
        rows.append(
            (
                _named(declared, part.indicator),
                component.title,
                f"{shares[part.indicator]:.0%} of the index; {part.weight:g} of "
                f"{sum(i.weight for i in component.inputs):g} within its component",
                f"{part.worse} is worse",
                f"{part.rationale} {component.rationale}",
            )
        )
    headings = ("Input", "Component", "Weight", "Direction", "Why")
    agreed: tuple[tuple[str, Cell], ...] = (("Weights agreed", method.weights_agreed),)
    return Section("weights", "Inputs and weights", (
        Grid("Inputs and weights", headings, tuple(rows)), Facts(agreed)))  # fmt: skip


def _expected_inputs(declared: RegionDeclarations, indicator: Indicator) -> Section:
    rows: list[tuple[str, str, str]] = []
    if indicator.expected:
        use = indicator.expected
        rows.append((_named(declared, use.observed), "Observed use", "What is compared."))
        rows += [
            (_named(declared, s.rate), "Expected use",
             f"Its rate in the whole region, for: {s.title}.")
            for s in use.strata
        ]  # fmt: skip
        rows += [
            (_named(declared, p.indicator), "Predictor of need",
             f"{p.worse} means more need. {p.rationale}")
            for p in use.predictors
        ]  # fmt: skip
        if use.coverage:
            rows.append((_named(declared, use.coverage), "Reach of the service", "Shown beside."))
    headings = ("Input", "Part", "Why")
    return Section("weights", "Inputs", (Grid("Inputs", headings, tuple(rows)),))


def _data(declared: RegionDeclarations, indicator: Indicator) -> Section:
    rows = []
    for source in declared.sources_behind(indicator):
        agreement = declared.agreement_of(source)
        agreed = agreement.source(source.id)
        sensitive = [c.name for c in (agreed.columns if agreed else [])
                     if c.class_ == "special" and c.action != "drop"]  # fmt: skip
        rows.append(
            (
                source.title, source.agency, source.cadence,
                f"{agreement.id} {agreement.title}", listed(sensitive),
                agreement.lawful_basis or agreement.licence or "",
            )
        )  # fmt: skip
    headings = ("Source", "Agency", "How often", "Agreement", "Sensitive attributes kept",
                "Lawful basis or licence")  # fmt: skip
    facts: tuple[tuple[str, Cell], ...] = (
        ("4.3 Completeness and representativeness",
         "The quality page of each release says what arrived, and what became of every row."),
        ("4.3 Who is missing from the data", blank("people who do not come into contact with the "
                                                   "agencies are not counted; say what it means")),
        ("4.3 Access and storage", "As each agreement says; see the register of agreements."),
    )  # fmt: skip
    return Section("data", "Data", (Grid("Sources of the inputs", headings, tuple(rows)),
                                    Facts(facts)))  # fmt: skip


def _risks(register: Register, indicator: Indicator) -> Section:
    behind = {a.id for a in register.declared.agreements_behind(indicator)}
    impact = [a for a in register.declared.assessments.values() if behind & set(a.agreements)]
    named: Cell = listed(f"{a.title}, signed off {day_words(a.signed_on)}" for a in impact)
    if not impact:
        named = blank("no data protection impact assessment covers its sources")
    rows: tuple[tuple[str, Cell], ...] = (
        ("5.1 Data protection impact assessment", named),
        ("5.1 Equality impact assessment", blank("areas differ in age, disability and ethnicity; "
                                                 "say what its use does to each group")),
        ("5.2 Risk: read as a score of people", NOT_A_PERSON),
        ("5.2 Risks and mitigations", "Listed below, from the impact assessments; whether each "
         "measure works today stands in the register of risks."),
    )  # fmt: skip
    risks = tuple((r.description, r.measure) for a in impact for r in a.risks)
    blocks: tuple[Facts | Grid | Text, ...] = (Facts(rows),)
    if risks:
        blocks += (Grid("Risks and mitigations", ("Risk", "Measure"), risks),)
    return Section("risks", "Tier 2, 5: risks and impact", blocks)

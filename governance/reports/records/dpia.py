"""The register of risks of each impact assessment, every mitigation bound to live checks.

Belongs here: what a check's outcome does to a risk, and the register as CSV and page. A red check
reopens its risk; a check that could not run shows nothing, so the risk counts as it was before the
measure. Does not belong here: the checks (``governance/controls/``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from declarations.dpia import Assessment, Risk
from governance.agreement_text.words import count_words, day_words, listed
from governance.controls.model import ControlResult
from governance.reports.csv_text import csv_text
from governance.reports.pages import Facts, Grid, Light, Page, Section, State, Text, html_page
from governance.reports.register import Register

Standing = Literal["mitigated", "reopened", "unproven"]
LIGHTS: dict[Standing, State] = {"mitigated": "good", "reopened": "bad", "unproven": "soon"}
OUTCOME_LIGHTS: dict[str, State] = {"passed": "good", "failed": "bad", "could_not_run": "soon"}
OUTCOME_WORDS = {"passed": "Passed", "failed": "Failed", "could_not_run": "Could not run"}
HIGH, MEDIUM = 9, 4
"""Ratings (likelihood times severity, each 1 to 4) from which a risk is high, or medium."""


@dataclass(frozen=True)
class LiveRisk:
    """One risk as it stands today.

    Attributes
    ----------
    assessment : Assessment
    risk : Risk
    results : tuple of ControlResult
        Of each of its controls.
    """

    assessment: Assessment
    risk: Risk
    results: tuple[ControlResult, ...]

    @property
    def standing(self) -> Standing:
        """Mitigated only where every control ran and passed."""
        outcomes = {r.outcome for r in self.results}
        if "failed" in outcomes:
            return "reopened"
        return "mitigated" if outcomes == {"passed"} else "unproven"

    @property
    def before(self) -> int:
        """Rating without the measure, 1 to 16."""
        return self.risk.likelihood * self.risk.severity

    @property
    def now(self) -> int:
        """Rating today: the residual one only while the measure is shown to work."""
        if self.standing == "mitigated":
            return self.risk.residual_likelihood * self.risk.residual_severity
        return self.before

    @property
    def words(self) -> str:
        """Say how the risk stands, and because of what."""
        if self.standing == "mitigated":
            return "mitigated: every control passed"
        if self.standing == "reopened":
            red = [r for r in self.results if r.outcome == "failed"]
            return "; ".join(f"reopened: {r.control} failed on {day_words(r.day)}" for r in red)
        idle = [r.control for r in self.results if r.outcome != "passed"]
        return f"not shown: {listed(idle)} could not run"


def level_words(rating: int) -> str:
    """Return a rating in words with its number, for example 'high (12)'."""
    level = "high" if rating >= HIGH else "medium" if rating >= MEDIUM else "low"
    return f"{level} ({rating})"


def live_risks(register: Register, results: Mapping[str, ControlResult]) -> list[LiveRisk]:
    """Return every risk of every assessment as it stands.

    Parameters
    ----------
    results : mapping
        Result by control, from ``run_controls``; a control without one counts as not run.
    """
    return [
        LiveRisk(
            assessment, risk,
            tuple(results.get(name) or _unrun(name, register) for name in risk.controls),
        )
        for assessment in register.declared.assessments.values()
        for risk in assessment.risks
    ]  # fmt: skip


def _unrun(name: str, register: Register) -> ControlResult:
    return ControlResult(name, name, "could_not_run", "it was not run", register.today)


HEADINGS = (
    "assessment_id", "risk_id", "description", "likelihood", "severity", "rating", "measure",
    "residual_likelihood", "residual_severity", "residual_rating", "standing", "current_rating",
    "because", "controls", "control_outcomes", "checked_on", "owner", "agreements",
)  # fmt: skip


def dpia_files(register: Register, results: Mapping[str, ControlResult]) -> dict[str, str]:
    """Return ``dpia-risks.csv`` and ``dpia.html``."""
    risks = live_risks(register, results)
    rows = (
        (
            r.assessment.id, r.risk.id, r.risk.description, r.risk.likelihood, r.risk.severity,
            r.before, r.risk.measure, r.risk.residual_likelihood, r.risk.residual_severity,
            r.risk.residual_likelihood * r.risk.residual_severity, r.standing, r.now, r.words,
            "; ".join(r.risk.controls),
            "; ".join(f"{x.control}: {x.outcome} ({x.reason})" for x in r.results),
            register.today, r.assessment.owner, "; ".join(r.assessment.agreements),
        )
        for r in risks
    )  # fmt: skip
    return {
        "dpia-risks.csv": csv_text(HEADINGS, rows),
        "dpia.html": html_page(_page(register, risks)),
    }


def _page(register: Register, risks: list[LiveRisk]) -> Page:
    open_again = [r for r in risks if r.standing == "reopened"]
    unproven = [r for r in risks if r.standing == "unproven"]
    sections = [_summary(risks, open_again, unproven)]
    for assessment in register.declared.assessments.values():
        sections += _assessment(assessment, [r for r in risks if r.assessment == assessment])
    sections.append(_uncovered(register))
    return Page(
        title=f"Register of risks: {register.declared.region.title}",
        eyebrow="Data protection impact assessment, Article 35 UK GDPR",
        lead=f"Every control was run on {day_words(register.today)}.",
        banner=register.synthetic,
        sections=tuple(sections),
        foot=(
            ("The same for machines", "dpia-risks.csv"),
            ("Rating", f"likelihood times severity, each 1 to 4; {HIGH} and more is high, "
             f"{MEDIUM} and more medium"),
        ),
    )  # fmt: skip


def _summary(
    risks: list[LiveRisk], open_again: list[LiveRisk], unproven: list[LiveRisk]
) -> Section:
    if not risks:
        words: tuple[Text | Grid, ...] = (Text("No assessment is on file."),)
        return Section("summary", "In short", words)
    said = (
        f"{count_words(len(risks), 'risk')}: {len(risks) - len(open_again) - len(unproven)} "
        f"mitigated, {len(open_again)} reopened, {len(unproven)} not shown to be mitigated."
    )
    rows = tuple(
        (r.risk.description, Light(LIGHTS[r.standing], r.words), level_words(r.now))
        for r in (*open_again, *unproven)
    )
    blocks: tuple[Text | Grid, ...] = (Text(said),)
    if rows:
        headings = ("Risk", "Why", "Rating now")
        blocks += (Grid("Risks that are open", headings, rows),)
    return Section("summary", "In short", blocks)


def _assessment(assessment: Assessment, risks: list[LiveRisk]) -> list[Section]:
    facts = Facts(
        (
            ("Agreements", listed(assessment.agreements)),
            ("Owner", assessment.owner),
            ("Why it is needed", assessment.need),
            ("Necessity and proportionality", assessment.necessity),
            ("Who was consulted", assessment.consultation),
            ("Signed off", f"{assessment.sign_off}, on {day_words(assessment.signed_on)}"),
            ("Next review", day_words(assessment.review_date)),
        )
    )
    grid = Grid(
        "Risks, measures and how they stand today",
        ("Risk", "Before", "Measure", "After", "Today", "Rating now"),
        tuple(
            (
                r.risk.description, level_words(r.before), r.risk.measure,
                level_words(r.risk.residual_likelihood * r.risk.residual_severity),
                Light(LIGHTS[r.standing], r.words), level_words(r.now),
            )
            for r in risks
        ),
    )  # fmt: skip
    known = {x.control: x for r in risks for x in r.results}
    checks = Grid(
        "Controls and what each found",
        ("Control", "What it makes sure of", "Outcome", "What it found"),
        tuple(
            (
                x.control, x.words,
                Light(OUTCOME_LIGHTS[x.outcome], OUTCOME_WORDS[x.outcome]), x.reason,
            )
            for x in known.values()
        ),
    )  # fmt: skip
    mark = assessment.id.replace("_", "-")
    return [
        Section(f"a-{mark}", assessment.title, (facts,)),
        Section(f"risks-{mark}", "Risks", (grid,), 3),
        Section(f"controls-{mark}", "Live checks", (checks,), 3),
    ]


def _uncovered(register: Register) -> Section:
    covered = {a for x in register.declared.assessments.values() for a in x.agreements}
    bare = [
        a.id
        for a in register.declared.agreements.values()
        if a.kind != "open_licence" and a.id not in covered
    ]
    words = f"No assessment covers {listed(bare)}." if bare else "Every agreement is covered."
    return Section("covered", "Agreements without an assessment", (Text(words),))

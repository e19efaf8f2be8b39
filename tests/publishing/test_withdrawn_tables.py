"""A withdrawal sets every table aside that the protection stage made."""

from __future__ import annotations

import pytest

from governance.lifecycle.withdrawal import RELEASE_TABLES
from publishing.protection import COMBINED, PROTECTED
from publishing.protection.findings import ATTACK, ATTACKED, STATEMENTS, WITHHELD

MADE = (PROTECTED, COMBINED, ATTACK, ATTACKED, WITHHELD, *STATEMENTS.values())


@pytest.mark.parametrize("table", MADE, ids=lambda t: t.name)
def test_every_table_of_the_stage_is_known_to_withdrawals(table) -> None:
    assert table.zone == "linked"
    assert table.name.startswith(RELEASE_TABLES)


@pytest.mark.parametrize("name", ["counts_north_cases", "indicator_social_care", "statistics_iod"])
def test_what_rests_on_other_agreements_stays(name: str) -> None:
    assert not name.startswith(RELEASE_TABLES)

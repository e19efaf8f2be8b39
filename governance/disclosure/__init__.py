"""Disclosure control: no published number lets anybody work back a small count.

Belongs here: the profiles (``profiles.yaml``), what each does to a count (``counts.py``), which
cells are sensitive (``sensitive.py``); what is known (``known/``), the attacker who works on it
(``attacker/``), the certificate; protecting a table by itself (``tables/``), and cell keys.
Does not belong here: which tables a region publishes (``publishing/``), or how they are counted
(``indicators/``). Nothing here reads a region's folders but the ledger.
"""

from governance.disclosure.attacker.intervals import Intervals, feasible_intervals
from governance.disclosure.counts import CONFIDENTIAL, protect_count, protect_sql

__all__ = ["CONFIDENTIAL", "Intervals", "feasible_intervals", "protect_count", "protect_sql"]

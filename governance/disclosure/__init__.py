"""Disclosure control: no published number lets anybody work back a small count.

Belongs here: the profiles (``profiles.yaml``), what each does to a count, which cells are
sensitive, hiding further cells, rounding that adds up, cell keys, the equations of what is
published, the attacker who solves them, the ledger of everything released, and the certificate.
Does not belong here: which tables a region publishes (``publishing/``), or how they are counted
(``indicators/``). Nothing here reads a region's folders but the ledger.
"""

from governance.disclosure.attacker import Intervals, feasible_intervals
from governance.disclosure.counts import CONFIDENTIAL, protect_count, protect_sql

__all__ = ["CONFIDENTIAL", "Intervals", "feasible_intervals", "protect_count", "protect_sql"]

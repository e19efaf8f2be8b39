"""Hiding further cells, so that the hidden small counts cannot be worked out from the rest.

Belongs here: choosing the secondary cells of a linked table and what that choice costs. Does not
belong here: which cells are sensitive (``sensitive.py``), how a hidden cell is shown
(``counts.py``), or the examination of a whole release (``examination.py``).
"""

from governance.disclosure.tables.suppression.choice import Suppression, suppress
from governance.disclosure.tables.suppression.problem import Cost, Loss

__all__ = ["Cost", "Loss", "Suppression", "suppress"]

"""Cell keys: noise that belongs to the set of people in a cell, so that it never averages out.

Belongs here: secret record keys, perturbation tables, the perturbed count of a cell, and what a
perturbed count tells an attacker. Does not belong here: which profile perturbs (``profiles.py``),
or the pseudonyms that record keys are made from (``governance/pseudonyms.py``).
Source of the method: domain dossier, section 3.5.
"""

from governance.disclosure.cell_key.entropy import maximum_entropy_table
from governance.disclosure.cell_key.perturbation import perturb, perturb_cells
from governance.disclosure.cell_key.ptable import (
    PerturbationTable,
    bounds,
    bounds_of,
    table_from_columns,
    ten_five_table,
)
from governance.disclosure.cell_key.record_keys import record_key_secret, record_keys

__all__ = [
    "PerturbationTable",
    "bounds",
    "bounds_of",
    "maximum_entropy_table",
    "perturb",
    "perturb_cells",
    "record_key_secret",
    "record_keys",
    "table_from_columns",
    "ten_five_table",
]

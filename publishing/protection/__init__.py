"""The stage before a release: counts protected, attacked with all that is known, coarsened.

Belongs here: the one place where exact tables become publishable ones. ``candidate.py`` says what
each figure is a sum of, ``knowledge.py`` what an attacker knows beside it, ``coarsening.py``
withholds detail until the attack fails, ``stage.py`` writes what is left.
Does not belong here: the rules and the attacker (``governance/disclosure/``), or the files of a
release. Exact rows never leave this package.
"""

from publishing.protection.stage import COMBINED, PROTECTED, protect_themes

__all__ = ["COMBINED", "PROTECTED", "protect_themes"]

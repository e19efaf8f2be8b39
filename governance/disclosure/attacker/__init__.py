"""The attacker: from everything known to the tightest bounds of each true count.

Belongs here: bounds and equations (``system.py``), solving them (``intervals.py`` and what it
uses), and the verdict on each sensitive count (``examination.py``).
Does not belong here: what is known (``known/``), or what is done about a count that fails.
"""

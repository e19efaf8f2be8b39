"""Protecting a table of counts by itself, with all its sums.

Belongs here: a table as cells and equations (``linked.py``), hiding further cells, rounding that
adds up, giving up detail of areas (``merging.py``), and all of it together (``protecting.py``).
Does not belong here: the attack (``attacker/``), or files (``pipelines/disclosing.py``).
"""

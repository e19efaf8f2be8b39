"""What is known of counts: statements, how they overlap, and the ledger of everything released.

Belongs here: the forms of published knowledge (``knowledge.py``), one system of all statements
about sums of counts (``joint.py``, ``parts.py``), the ledger. Does not belong here: solving.
"""

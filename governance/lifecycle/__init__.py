"""How long data may stay, and how it goes: clocks, holds, disposal, withdrawal, certificates.

Belongs here: what is due under an agreement, what stops it, removing it and proving that it is
gone, the stop button, and where data of a source lies. Does not belong here: the commands and the
order of their steps (``pipelines/stewardship.py``), or what a stage makes of it
(``intake/keeping.py``).
"""

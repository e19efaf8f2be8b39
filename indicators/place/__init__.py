"""Place: where high or low figures lie together, beyond what chance would put there.

Belongs here: the links between areas that have figures, local statistics on them, and the figures
of the areas beyond a region's edge. Does not belong here: what a neighbour is (``geography``), the
published table (``indicators/derived/hotspots.py``).
"""

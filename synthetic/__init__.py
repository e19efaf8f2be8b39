"""The wholly synthetic region "arden": every file a region receives, with no real person in it.

Belongs here: invented geography, invented people, the files each agency would send about them, the
faults planted in those files, and the truth the generator knows. Does not belong here: reading,
checking or counting those files, which is the work of the other rooms. Everything describes
synthetic people and places only, and every area name says so.
"""

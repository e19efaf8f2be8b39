"""Everything synthetic: the region "arden", and cases that add up to published totals.

Belongs here: invented geography, invented people, the files each agency would send about them, the
faults planted in those files, and the truth the generator knows. Does not belong here: reading,
checking or counting those files, which is the work of the other rooms. Every record describes a
synthetic person only and says so; so does every area name of arden.
"""

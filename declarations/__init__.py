"""What a region declares: regions, agreements, contracts, sources and indicators, as data.

Belongs here: the strict models of every YAML file a region may hold, how they are read, the checks
between them, their JSON Schemas, and the base of all expected errors.
Does not belong here: what is done with a declaration. This room imports no other room.
"""

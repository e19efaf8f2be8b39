"""How and when the work runs: definitions, jobs, schedules, sensors, settings, the command line.

Belongs here: the wiring, the bundled regions, and everything a person types.
Does not belong here: what is made from what (``assets/``) or how it is computed (the other rooms).
"""

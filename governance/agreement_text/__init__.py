"""An agreement in words: what it says, what changed in it, what an officer would object to.

Belongs here: pure functions from agreements to sentences, findings and pages. Does not belong here:
the model of an agreement (``declarations/agreements.py``), or the gate that applies it.
"""

"""Live checks that an assessment's mitigations are bound to: each looks at what is really there.

Belongs here: the checks, by what they look at (``agreed.py``, ``stored.py``, ``published.py``), and
their catalogue. A check that cannot look says so; it is never taken for a pass. Does not belong
here: enforcing anything; that is the gate's, the store's and the release's.
"""

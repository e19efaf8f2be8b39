"""What makes sharing lawful and safe: the gate, pseudonyms, disclosure control, approvals, audit.

Belongs here: decisions about whether data may be read, kept or published, and the proof of them.
Does not belong here: how files are read (``intake/``) or how a release is laid out
(``publishing/``).
"""

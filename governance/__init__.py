"""What makes sharing lawful and safe: decisions about data, and the proof of them.

Belongs here: whether data may be read (``gate``, ``policy``), what is in it that must not be
(``identifiers``, ``leaks``, ``redaction/``), who may be recognised across tables (``pseudonyms``,
``linkage``), what may be published and by whom (``disclosure``, ``approvals``), who may read what
(``roles``, ``access``), how data ends (``lifecycle/``), and how all of it is shown and proved
(``agreement_text/``, ``controls/``, ``reports/``, ``audit``, ``signing``).
Does not belong here: how files are read (``intake/``) or how a release is laid out
(``publishing/``).
"""

"""The certificate of a release: its facts and JSON, its page, its pictures.

Does not belong here: the examination it speaks of (``attacker/``), or gathering its facts from a
release (``publishing/release_certificate.py``).
"""

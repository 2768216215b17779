"""Whom we believe, for what, from when until when: `model` is the meaning, `document` the file, `yaml_tree` its text.

>>> from policy_evidence.trust.document import parse_trust
>>> parse_trust(b"format: 1")
Traceback (most recent call last):
policy_evidence.errors.TrustError: PE4304: line 1, version: is missing (and 3 more)
"""

"""The audit bundle: `archive` is the one-file form, `manifest` binds its members, `checks` is how a result is listed.

>>> from policy_evidence.bundle.archive import read_bundle, write_bundle
>>> read_bundle(write_bundle({"snapshot.json": b"{}"}))
{'snapshot.json': b'{}'}
"""

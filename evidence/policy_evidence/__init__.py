"""Signed evidence that a stranger can verify offline: no network, no account, no trust in this project.

The package imports nothing else of ours, so that an auditor can read this one folder. Where to look:

- `canonical`: strict JSON reading, RFC 8785 writing, digests
- `envelope`, `statement`, `predicates`: DSSE 1.0.2, in-toto Statement v1, and what our statements say
- `signing`, `trust`: keys, and who may sign what, from when until when
- `attest`, `verify`: making one signed statement, and the numbered procedure that judges one
- `bundle`: the one-file audit bundle

Importing the package itself loads none of them: each submodule brings only what it needs.
"""

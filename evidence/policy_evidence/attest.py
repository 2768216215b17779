"""Making one signed statement: a predicate about named, digested subjects, signed with one or more keys.

The result is checked by reading it back, so nothing is signed that a verifier would refuse to read.

>>> from policy_evidence.predicates import WaiverPredicate
>>> from policy_evidence.signing.keys import PrivateKey
>>> sign_statement({}, "urn:ai-policy-engine:bundle:v1", {"format": 1}, [PrivateKey.generate()])
Traceback (most recent call last):
policy_evidence.errors.FormatError: PE4121: `created` is missing
"""

from collections.abc import Mapping, Sequence

from policy_evidence.canonical import JsonValue
from policy_evidence.envelope import Envelope
from policy_evidence.predicates import Predicate, parse_predicate, predicate_to_json
from policy_evidence.signing.keys import PrivateKey
from policy_evidence.statement import PAYLOAD_TYPE, Statement, Subject


def sign_statement(
    subjects: Mapping[str, Mapping[str, str]],
    predicate_type: str,
    predicate: Predicate | dict[str, JsonValue],
    keys: Sequence[PrivateKey],
) -> bytes:
    """Return the envelope file: `subjects` maps each name to its digests, such as `{"sha256": hex}`.

    Raises: FormatError for content that no verifier would accept, KeyFileError for a key that may not sign.
    """
    content = predicate if isinstance(predicate, dict) else predicate_to_json(predicate)
    content = predicate_to_json(parse_predicate(predicate_type, content))
    named = tuple(Subject(name, dict(digests)) for name, digests in sorted(subjects.items()))
    payload = Statement(named, predicate_type, content).to_bytes()
    return Envelope.sign(PAYLOAD_TYPE, payload, keys).to_bytes()

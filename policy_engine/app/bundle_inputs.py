"""The inputs of a decision, read back out of the bundle that carries them."""

from collections.abc import Mapping

from policy_engine.app.assess import PROFILE_MEMBER, TRUST_MEMBER
from policy_engine.app.decision import member_pack
from policy_engine.app.inputs import Inputs
from policy_engine.packs.library import PackFiles, library, requirement
from policy_engine.packs.profile import parse_profile


def bundle_inputs(members: Mapping[str, bytes]) -> Inputs:
    """Return what a bundle was made of, without its lineage, which is a member of its own.

    Raises:
        InputError: the profile in the bundle is none.
    """
    profile = parse_profile(members[PROFILE_MEMBER], PROFILE_MEMBER)
    policies = {name: data for name, data in members.items() if name.startswith("packs/")}
    own = {member_pack(name) for name in policies}
    return Inputs(
        profile=profile,
        profile_bytes=members[PROFILE_MEMBER],
        packs=PackFiles(policies, _selected(tuple(requirement(p)[0] for p in profile.packs), own)),
        sources={},
        evidence={name: data for name, data in members.items() if name.startswith("evidence/")},
        trust=members[TRUST_MEMBER],
    )


def _selected(wanted: tuple[str, ...], names: set[str]) -> frozenset[str]:
    """Return the packs whose rules count: those that the profile names, and all that are not of the library.

    What the decision says is not asked: it might have left out the results of a pack.
    """
    return frozenset(n for n in names if n not in library() or any(n == w or n.startswith(f"{w}.") for w in wanted))

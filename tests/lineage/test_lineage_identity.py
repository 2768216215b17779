"""Which names mean one thing: canonical names, versions, content digests, and what the inventory keeps apart."""

import itertools
import random
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.lineage.claims import AttributeClaim, Claims, EdgeClaim, NodeClaim
from policy_engine.lineage.graph import Origin, Snapshot, Source
from policy_engine.lineage.join import join
from policy_engine.lineage.locators import canonical, content_digest, package_and_version
from policy_engine.lineage.purl import package_url
from policy_engine.model.problems import Problem, Severity
from tests.lineage.estate_schema import SCHEMA

DIGEST = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32

SAME = {
    "package URL, case and signs of PyPI": ("pkg:pypi/typing-extensions@4.1", "pkg:PyPI/Typing_Extensions@4.1"),
    "package URL, slashes after the scheme": ("pkg:npm/%40angular/core@1", "pkg://npm/@Angular/core@1"),
    "package URL, order of qualifiers": ("pkg:deb/debian/x@1?arch=a&distro=b", "pkg:deb/Debian/x@1?distro=b&ARCH=a&x="),
    "package URL, percent-encoding": ("pkg:generic/a%20b@1%3A0", "pkg:generic/a%20b@1:0"),
    "package URL, subpath": ("pkg:golang/x/y#a/b", "pkg:golang/X/Y#/a/./b/"),
    "Databricks model": (
        "pkg:mlflow/credit@3?repository_url=https://a.azuredatabricks.net",
        "pkg:mlflow/CREDIT@3?repository_url=https://a.azuredatabricks.net",
    ),
    "hub, page": ("pkg:huggingface/org/Model", "https://huggingface.co/org/Model"),
    "hub, page with a slash": ("pkg:huggingface/org/Model", "https://www.huggingface.co/org/Model/"),
    "hub, default branch": ("pkg:huggingface/org/Model@main", "https://hf.co/org/Model/tree/main"),
    "hub, file system": ("pkg:huggingface/org/Model@0AbC", "hf://org/Model@0abc"),
    "hub, KServe": ("pkg:huggingface/org/Model@0abc", "hf://org/Model:0abc"),
    "hub, commit": ("pkg:huggingface/org/Model@0abc", "https://huggingface.co/org/Model/commit/0ABC"),
    "hub, dataset": ("pkg:huggingface/datasets/org/loans", "https://huggingface.co/datasets/org/loans"),
    "hub, dataset by file system": ("hf://datasets/org/loans", "https://huggingface.co/datasets/org/loans/tree/main"),
    "hub, the default repository": (
        "pkg:huggingface/o/m",
        "pkg:huggingface/o/m?repository_url=https://huggingface.co/",
    ),
    "MLflow": ("models:/credit/3", "pkg:mlflow/credit@3"),
    "S3 connector": ("s3://lake/loans", "s3a://lake/loans/"),
    "S3 address": ("s3://lake/loans/a", "https://lake.s3.eu-west-1.amazonaws.com/loans/a"),
    "S3 address with the bucket in its path": ("s3://lake/loans", "https://s3.amazonaws.com/lake/loans"),
    "S3 address, percent-encoding": ("s3://lake/my loans", "https://lake.s3.amazonaws.com/my%20loans"),
    "Google Cloud, percent-encoding": ("gs://lake/a#b", "https://storage.googleapis.com/lake/a%23b"),
    "Google Cloud": ("gs://lake/loans", "https://storage.googleapis.com/lake/loans"),
    "Azure": ("abfss://c@acc.dfs.core.windows.net/p", "https://acc.blob.core.windows.net/c/p/"),
    "Azure connector": ("abfss://c@acc.dfs.core.windows.net/p", "wasbs://c@acc.blob.core.windows.net/p"),
    "PyPI": ("pkg:pypi/opencv-python@4.4", "https://pypi.org/project/OpenCV_python/4.4/"),
    "GitHub": ("pkg:github/org/repo", "https://github.com/Org/Repo.git"),
    "web": ("https://example.org/a", "HTTPS://Example.ORG:443/a/"),
    "BOM": (
        "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#A",
        "URN:CDX:3E671687-395B-41F5-A30F-A58921A69B79/1#A",
    ),
    "digest": (DIGEST, DIGEST.upper()),
    "composed letters": ("cafe\u0301", "caf\u00e9"),
}
DIFFERENT = {
    "IPv6 address and port": ("http://[::1]:8080/x", "http://[::1:8080]/x"),
    "S3 address, a percent sign in the name": ("s3://lake/my%20loans", "https://lake.s3.amazonaws.com/my%20loans"),
    "versions": ("pkg:huggingface/org/m@1", "pkg:huggingface/org/m@2"),
    "a version and none": ("pkg:huggingface/org/m@1", "pkg:huggingface/org/m"),
    "model and dataset": ("https://huggingface.co/org/m", "https://huggingface.co/datasets/org/m"),
    "case of the hub": ("pkg:huggingface/org/M", "pkg:huggingface/org/m"),
    "a repository and its file": ("https://huggingface.co/org/m", "https://huggingface.co/org/m/resolve/main/m.bin"),
    "a page of the hub and a model": ("https://huggingface.co/docs/hub", "pkg:huggingface/docs/hub"),
    "registries": ("pkg:mlflow/m@1", "pkg:mlflow/m@1?repository_url=https://a.example"),
    "an alias of a registered model, which moves": ("models:/m@prod", "models:/m/1"),
    "objects": ("s3://lake/a", "s3://lake/b"),
    "stores": ("s3://lake/a", "gs://lake/a"),
    "signed addresses": ("https://lake.s3.amazonaws.com/a?versionId=1", "https://lake.s3.amazonaws.com/a?versionId=2"),
    "schemes": ("http://example.org/a", "https://example.org/a"),
    "plain names in another case": ("Scorer", "scorer"),
    "letters of other alphabets": ("scorer", "sсorer"),
    "a repository and a folder in it": ("https://github.com/org/repo", "https://github.com/org/repo/tree/main/a"),
    "encoded slash": ("pkg:generic/a%2Fb", "pkg:generic/a/b"),
}


@pytest.mark.parametrize("name", SAME)
def test_ways_to_write_one_name(name: str) -> None:
    first, second = SAME[name]
    assert canonical(first) == canonical(second)


@pytest.mark.parametrize("name", DIFFERENT)
def test_names_that_are_not_one(name: str) -> None:
    first, second = DIFFERENT[name]
    assert canonical(first) != canonical(second)


_PIECES = st.sampled_from(
    [
        "pkg:",
        "PKG:",
        "hf://",
        "https://huggingface.co/",
        "s3://",
        "gs://",
        "abfss://",
        "models:/",
        "urn:",
        "urn:uuid:",
        "sha256:",
        "http://",
        "@",
        ":",
        "/",
        "//",
        "#",
        "?",
        "&",
        "=",
        "%2F",
        "%ff",
        "%00",
        "..",
        ".",
        "a",
        "B",
        "é",
        "\u0301",
        "[",
        "]",
        "datasets",
        "tree",
        "main",
        "org",
        "99999",
        "\u202e",
        "x.s3.amazonaws.com",
    ]
)


@given(st.lists(_PIECES, max_size=12).map("".join) | st.text(max_size=60))
def test_any_text_has_one_canonical_form(text: str) -> None:
    once = canonical(text)
    assert canonical(once) == once
    parts = package_url(once)
    if parts is not None:
        assert package_and_version(once) == (str(replace(parts, version="")), quote(parts.version, safe=":"))


@pytest.mark.parametrize(
    "text", ["pkg:", "pkg:pypi", "pkg:/", "pkg:pypi/", "pkg:a b/c", "pkg:x/%ff", "pkg:x/y?a=1&A=2"]
)
def test_what_is_no_package_url_stands_for_itself(text: str) -> None:
    assert package_url(text) is None
    assert canonical(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "md5:" + "ab" * 16,  # content can be made to have it
        "sha1:" + "ab" * 20,
        "sha256:" + "0" * 64,
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",  # of nothing
        "sha256:" + "zz" * 32,
        "sha256:" + "ab" * 31,
        "sha256:" + "é" * 64,
        "",
        7,
        None,
    ],
)
def test_a_digest_that_tells_nothing_apart(text: object) -> None:
    assert content_digest(text) is None


# Joining


class Doc:
    """What one document asserts, written short: things, then facts of them, then edges."""

    def __init__(self, name: str, *, own: bool = False) -> None:
        self.name, self.own = name, own
        self.nodes: list[NodeClaim] = []
        self.attributes: list[AttributeClaim] = []
        self.edges: list[EdgeClaim] = []

    def _at(self) -> tuple[Origin, ...]:
        return (Origin(self.name, f"/{len(self.nodes)}/{len(self.attributes)}/{len(self.edges)}"),)

    def has(self, node_id: str, *aliases: str, kind: str = "Model", **facts: object) -> "Doc":
        self.nodes.append(NodeClaim(node_id, kind, aliases, self._at()))
        self.attributes += [AttributeClaim(node_id, name, raw, self._at()) for name, raw in facts.items()]
        return self

    def edge(self, name: str, source: str, target: str) -> "Doc":
        self.edges.append(EdgeClaim(name, source, target, self._at()))
        return self

    @property
    def claims(self) -> Claims:
        source = Source(self.name, DIGEST, "inventory" if self.own else "tool", self.name)
        return Claims((source,), self.own, tuple(self.nodes), tuple(self.attributes), tuple(self.edges))


def joined(*docs: Doc) -> tuple[Snapshot, tuple[Problem, ...]]:
    """Join in every order of up to four documents, and return what all orders give."""
    results = [join([doc.claims for doc in order], SCHEMA) for order in itertools.permutations(docs)]
    assert all(result == results[0] for result in results)
    assert len({snapshot.digest for snapshot, _ in results}) == 1
    return results[0]


def codes(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.code for problem in problems]


def test_tools_that_write_a_name_differently_speak_of_one_thing() -> None:
    snapshot, problems = joined(
        Doc("own", own=True).has("scorer", "pkg:huggingface/org/m", stage="production"),
        Doc("card").has("https://huggingface.co/org/m", licence="mit"),
        Doc("kserve").has("hf://org/m", task="scoring"),
    )
    assert problems == ()
    assert list(snapshot.nodes) == ["scorer"]
    node = snapshot.nodes["scorer"]
    assert {name: snapshot.value("scorer", name) for name in node.attributes} == {
        "licence": "mit",
        "stage": "production",
        "task": "scoring",
    }
    assert node.aliases == ("hf://org/m", "https://huggingface.co/org/m", "pkg:huggingface/org/m")
    # Each fact keeps who asserts it.
    assert [node.attributes[name].origins[0].source for name in ("licence", "stage", "task")] == [
        "card",
        "own",
        "kserve",
    ]


def test_an_edge_may_name_its_end_in_yet_another_way() -> None:
    own = Doc("own", own=True).has("a", "hf://org/m").has("b").edge("finetuned_from", "b", "https://hf.co/org/m")
    snapshot, problems = joined(own)
    assert problems == ()
    assert snapshot.targets("b", "finetuned_from") == ("a",)


def test_what_is_only_mentioned_under_several_names_is_one_thing() -> None:
    first = Doc("a").has("x").edge("finetuned_from", "x", "hf://org/base")
    second = Doc("b").has("y").edge("finetuned_from", "y", "https://huggingface.co/org/base")
    snapshot, problems = joined(first, second)
    assert codes(problems) == ["PE3145"]
    assert sorted(snapshot.nodes) == ["hf://org/base", "x", "y"]
    assert snapshot.nodes["hf://org/base"].aliases == ("https://huggingface.co/org/base",)
    assert snapshot.sources_of("hf://org/base", "finetuned_from") == ("x", "y")


def test_two_versions_are_two_things() -> None:
    snapshot, problems = joined(
        Doc("a").has("pkg:huggingface/org/m@1", version="1"), Doc("b").has("pkg:huggingface/org/m@2", version="2")
    )
    assert problems == ()
    assert len(snapshot.nodes) == 2


def test_no_chain_of_foreign_aliases_joins_two_versions() -> None:
    snapshot, problems = joined(
        Doc("a").has("pkg:x/m@1", "common"),
        Doc("b").has("pkg:x/m@2", "other"),
        Doc("c").has("common", "other"),
    )
    assert codes(problems) == ["PE3180"]
    assert problems[0].severity is Severity.WARNING
    assert [(node.id, node.aliases) for node in snapshot.nodes.values()] == [
        ("common", ("other", "pkg:x/m@1")),
        ("pkg:x/m@2", ()),
    ]


def test_a_version_that_is_refused_as_an_alias_and_declared_by_nobody_is_no_thing() -> None:
    snapshot, problems = joined(Doc("a").has("pkg:x/m@1", "pkg:x/m@2"))
    assert codes(problems) == ["PE3180"]
    assert list(snapshot.nodes) == ["pkg:x/m@1"]
    assert snapshot.nodes["pkg:x/m@1"].aliases == ()


def test_the_inventory_may_say_that_two_versions_are_one_thing() -> None:
    snapshot, problems = joined(Doc("own", own=True).has("m", "pkg:x/m@1", "pkg:x/m@2"))
    assert problems == ()
    assert list(snapshot.nodes) == ["m"]


def test_one_content_digest_makes_one_thing() -> None:
    snapshot, problems = joined(
        Doc("own", own=True).has("scorer", digest=DIGEST),
        Doc("bom").has("urn:x:1", digest=DIGEST.upper(), task="scoring"),
        Doc("mlflow").has("urn:x:2", DIGEST),
    )
    assert list(snapshot.nodes) == ["scorer"]
    assert snapshot.nodes["scorer"].aliases == ("urn:x:1", "urn:x:2")
    assert snapshot.value("scorer", "task") == "scoring"
    # The digest itself is written in two ways: that is for the reader to see.
    assert codes(problems) == ["PE3143"]


def test_an_edge_may_name_a_thing_by_its_digest() -> None:
    snapshot, problems = joined(
        Doc("own", own=True).has("scorer", digest=DIGEST), Doc("t").has("x").edge("finetuned_from", "x", DIGEST)
    )
    assert problems == ()
    assert snapshot.targets("x", "finetuned_from") == ("scorer",)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"kind": "Model"}, {"kind": "Dataset"}),
        ({"version": "1"}, {"version": "2"}),
    ],
)
def test_one_digest_does_not_join_other_kinds_or_versions(first: dict[str, str], second: dict[str, str]) -> None:
    snapshot, problems = joined(Doc("a").has("x", digest=DIGEST, **first), Doc("b").has("y", digest=DIGEST, **second))
    assert problems == ()
    assert list(snapshot.nodes) == ["x", "y"]


def test_a_thing_with_several_digests_joins_nothing() -> None:
    snapshot, _ = joined(
        Doc("a").has("x", digest=DIGEST), Doc("b").has("y", digest=OTHER), Doc("evil").has("z", DIGEST, OTHER)
    )
    assert list(snapshot.nodes) == ["x", "y", "z"]


def test_two_things_of_the_inventory_with_one_digest_stay_two() -> None:
    own = Doc("own", own=True).has("x", digest=DIGEST).has("y", digest=DIGEST)
    assert joined(own)[1] == ()
    snapshot, problems = joined(own, Doc("bom").has("z", digest=DIGEST))
    assert list(snapshot.nodes) == ["x", "y", "z"]
    assert codes(problems) == ["PE3182"]
    assert problems[0].help == "name it as an alias of the one it is, of `x`, `y`"


def test_a_foreign_document_joins_nothing_that_the_inventory_keeps_apart() -> None:
    snapshot, problems = joined(
        Doc("own", own=True).has("x", "hf://org/m").has("y", digest=DIGEST),
        Doc("evil").has("https://hf.co/org/m", "y").has("z", "https://huggingface.co/org/m", digest=DIGEST),
    )
    assert list(snapshot.nodes) == ["x", "y"]
    assert codes(problems) == ["PE3147"]


def test_a_foreign_kind_does_not_stop_the_run() -> None:
    snapshot, problems = joined(
        Doc("own", own=True).has("x", kind="Model"), Doc("a").has("x", kind="Dataset"), Doc("b").has("x", kind="System")
    )
    assert [(problem.code, problem.severity) for problem in problems] == [("PE3144", Severity.WARNING)]
    assert problems[0].message == "`x` is of kind Model in own at `/0/0/0` and of kind Dataset in a at `/0/0/0`"
    assert snapshot.nodes["x"].kind == "Model"


def test_three_sources_that_contradict_each_other_are_all_named() -> None:
    snapshot, problems = joined(
        Doc("own", own=True).has("x", licence="mit"),
        Doc("a").has("x", licence="gpl"),
        Doc("b").has("x", licence="apache"),
        Doc("c").has("x", licence="gpl"),
    )
    assert snapshot.value("x", "licence") is None
    assert codes(problems) == ["PE3143"]
    for words in ("`apache` in b at", "`gpl` in a at", "`mit` in own at"):
        assert words in problems[0].message
    gpl = next(fact for fact in snapshot.nodes["x"].conflicts["licence"] if fact.value == "gpl")
    assert [origin.source for origin in gpl.origins] == ["a", "c"]


def test_an_edge_that_joining_turns_upon_itself_is_told() -> None:
    snapshot, problems = joined(
        Doc("own", own=True).has("table", "a", "b", kind="Dataset"), Doc("t").edge("derived_from", "a", "b")
    )
    assert codes(problems) == ["PE3181"]
    assert snapshot.targets("table", "derived_from") == ("table",)
    # That a document itself leads an edge from a thing to the same thing is data.
    assert joined(Doc("t").has("a", kind="Dataset").edge("derived_from", "a", "a"))[1] == ()


_NAMES = ("a", "b", "c", "pkg:x/m@1", "pkg:x/m@2", "pkg:X/m", "hf://o/m", "https://hf.co/o/m", DIGEST)
_claim = st.tuples(
    st.sampled_from(_NAMES[:-1]),
    st.lists(st.sampled_from(_NAMES), max_size=2),
    st.sampled_from(["Model", "Dataset"]),
    st.fixed_dictionaries(
        {},
        optional={
            "digest": st.sampled_from([DIGEST, OTHER]),
            "version": st.sampled_from(["1", "2"]),
            "licence": st.sampled_from(["mit", "gpl", "apache"]),
        },
    ),
    st.sampled_from(_NAMES),
)
_documents = st.lists(st.tuples(st.booleans(), st.lists(_claim, max_size=3)), min_size=2, max_size=5)


@settings(max_examples=60)
@given(_documents, st.randoms(use_true_random=False))
def test_the_order_of_documents_changes_nothing(
    documents: list[tuple[bool, list[tuple[str, list[str], str, dict[str, str], str]]]], rng: random.Random
) -> None:
    docs = []
    for number, (own, entries) in enumerate(documents):
        doc = Doc(f"d{number}", own=own)
        for node_id, aliases, kind, facts, other in entries:
            doc.has(node_id, *aliases, kind=kind, **facts).edge("depends_on", node_id, other)
        docs.append(doc)
    first = join([doc.claims for doc in docs], SCHEMA)
    shuffled = list(docs)
    rng.shuffle(shuffled)
    assert join([doc.claims for doc in shuffled], SCHEMA) == first
    # What the inventory keeps apart stays apart, whatever the others say.
    own_alone = join([doc.claims for doc in docs if doc.own], SCHEMA)[0]
    assert set(own_alone.nodes) <= set(first[0].nodes)
    # Foreign documents join no two versions of a package that the inventory does not join.
    for node in first[0].nodes.values():
        named = {node.id, *node.aliases}
        kept = own_alone.nodes.get(node.id)
        if {"pkg:x/m@1", "pkg:x/m@2"} <= named:
            assert kept is not None
            assert {"pkg:x/m@1", "pkg:x/m@2"} <= {kept.id, *kept.aliases}

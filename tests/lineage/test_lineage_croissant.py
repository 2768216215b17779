"""Croissant descriptions say of a dataset what Art. 10(2) asks, as claims of whoever published them."""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.lineage.damage import damaged, survives
from tests.lineage.imported import codes, edges, facts, kinds, load, load_sample

EXPECTED: dict[str, tuple[dict[str, int], str]] = {
    # A list of one dataset, its licence an object.
    "croissant-rdf__tests__kaggle_croissant.json": ({"Dataset": 1, "Vendor": 1}, "Other (specified in description)"),
    "datasets__1.0__credit-g__metadata.json": ({"Dataset": 1, "Vendor": 1}, "Public"),
    "datasets__1.0__huggingface-anthropic-hh-rlhf__metadata.json": ({"Dataset": 1}, "MIT"),
    "datasets__1.1__commoncrawl-CC-MAIN-2025-43-draft__metadata.json": (
        {"Dataset": 1, "Vendor": 1},
        "https://commoncrawl.org/terms-of-use",
    ),
    "datasets__1.1__huggingface-wildchat__metadata.json": (
        {"Dataset": 2},
        "https://choosealicense.com/licenses/odc-by/",
    ),
    "eclair__tests__resources__openml_covertype_croissant.json": ({"Dataset": 1}, "Public"),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_gives_its_dataset(name: str) -> None:
    estate = load_sample(f"croissant/{name}")
    things, licence = EXPECTED[name]
    assert Counter(kinds(estate).values()) == things
    assert codes(estate) == []
    assert licence in {facts(estate, node).get("licence") for node, kind in kinds(estate).items() if kind == "Dataset"}
    # Placeholders, MD5 and digests of one file among many are no digest of the dataset.
    assert all("digest" not in facts(estate, node) for node in kinds(estate))
    assert survives(estate)


def test_a_derived_dataset_names_what_it_comes_from_and_what_was_done() -> None:
    estate = load_sample("croissant/datasets__1.1__huggingface-wildchat__metadata.json")
    chat = "https://huggingface.co/datasets/allenai/WildChat-1M"
    assert edges(estate) == {(chat, "derived_from", f"{chat}-Full")}
    done = str(facts(estate, chat)["preprocessing"]).splitlines()
    assert len(done) == 3
    assert done[2] == "The data has been de-identified with Microsoft Presidio and hand-written rules by the authors."


def test_a_dataset_of_the_hub_is_known_by_its_page_there_too() -> None:
    estate = load_sample("croissant/datasets__1.0__huggingface-anthropic-hh-rlhf__metadata.json")
    [node] = estate.snapshot.nodes.values()
    assert node.aliases == ("https://huggingface.co/datasets/Anthropic/hh-rlhf",)


DATASET: dict[str, Any] = {
    "@context": {"@vocab": "https://schema.org/", "cr": "http://mlcommons.org/croissant/"},
    "@type": "sc:Dataset",
    "dct:conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
    "name": "loans",
    "url": "https://data.example/loans",
    "version": 3,
    "license": [{"@type": "sc:CreativeWork", "url": "https://example.org/licence"}],
    "inLanguage": ["en", "de"],
    "sdPublisher": {"@type": "sc:Organization", "name": "Data office"},
    "sdDatePublished": "2026-03-04T05:06:07",
    "creator": [{"@type": "sc:Person", "name": ["Ada", "Grace"]}],
    "prov:wasDerivedFrom": [
        {"@id": "raw", "prov:label": "Raw loans"},
        "https://data.example/bureau",
        {"prov:atLocation": "https://data.example/census", "prov:label": "Census"},
    ],
    "rai:dataCollection": "Asked at the desk",
    "rai:dataCollectionTimeframe": ["2020-01-01T00:00:00", "2021-12-31T00:00:00"],
    "rai:dataPreprocessingProtocol": ["Deduplicated", "[More Information Needed]"],
    "rai:dataAnnotationProtocol": "Two people each",
    "rai:annotatorDemographics": ["Staff"],
    "rai:dataBiases": "Few young",
    "rai:dataSocialImpact": "May exclude",
    "rai:dataLimitations": "Retail only",
    "rai:dataUseCases": "Scoring",
    "rai:dataReleaseMaintenancePlan": "Yearly",
    "rai:personalSensitiveInformation": ["Gender", "Age"],
    "distribution": [
        {"@type": "cr:FileObject", "@id": "zip", "contentUrl": "loans.zip", "sha256": "AB" * 32},
        {"@type": "cr:FileObject", "@id": "csv", "containedIn": {"@id": "zip"}, "sha256": "CD" * 32},
    ],
    "recordSet": [{"@type": "cr:RecordSet", "field": []}],
}
LOANS = "https://data.example/loans"


def test_everything_that_can_be_said_of_a_dataset() -> None:
    estate = load(DATASET)
    assert estate.problems == ()
    [source] = estate.snapshot.sources
    assert (source.format, source.asserted_by) == ("croissant", "Data office")
    assert source.asserted_at == datetime(2026, 3, 4, tzinfo=UTC)
    assert facts(estate, LOANS) == {
        "name": "loans",
        "version": "3",
        "licence": "https://example.org/licence",
        "languages": frozenset({"en", "de"}),
        "digest": "sha256:" + "ab" * 32,
        "collected_on": date(2021, 12, 31),
        "collection": "Asked at the desk",
        "preprocessing": "Deduplicated",
        "annotation": "Two people each\nStaff",
        "known_biases": "Few young",
        "social_impact": "May exclude",
        "limitations": "Retail only",
        "intended_use": "Scoring",
        "update_plan": "Yearly",
        "sensitive_data": frozenset({"Gender", "Age"}),
    }
    assert edges(estate) == {
        (LOANS, "derived_from", "a.json#raw"),
        (LOANS, "derived_from", "https://data.example/bureau"),
        (LOANS, "derived_from", "https://data.example/census"),
        (LOANS, "supplied_by", "urn:ai-policy-engine:vendor:Ada"),
        (LOANS, "supplied_by", "urn:ai-policy-engine:vendor:Grace"),
    }
    assert facts(estate, "a.json#raw") == {"name": "Raw loans"}


def test_a_description_of_0_8_says_no_version() -> None:
    old = {
        "@context": {"sc": "https://schema.org/", "ml": "http://mlcommons.org/schema/"},
        "@type": "sc:Dataset",
        "name": "titanic",
        "license": "https://www.openml.org/cite",
        "distribution": [{"@type": "ml:FileObject", "sha256": "0" * 64}],
    }
    estate = load(old)
    assert estate.problems == ()
    assert facts(estate, "a.json#titanic")["digest"] == "sha256:" + "0" * 64


def test_other_versions_are_read_and_told() -> None:
    assert codes(load(DATASET | {"dct:conformsTo": "http://mlcommons.org/croissant/2.0"})) == ["PE3123"]


def test_a_digest_that_is_none_and_several_licences_are_told() -> None:
    issue = {"@type": "cr:FileObject", "sha256": "https://github.com/mlcommons/croissant/issues/80"}
    estate = load(DATASET | {"distribution": [issue], "license": ["MIT", "Apache-2.0"]})
    assert codes(estate) == ["PE3121", "PE3131"]
    assert {"digest", "licence"}.isdisjoint(facts(estate, LOANS))


def test_without_name_and_address_there_is_no_dataset() -> None:
    nameless = {key: value for key, value in DATASET.items() if key not in ("name", "url")}
    assert codes(load(nameless)) == ["PE3120"]


@pytest.mark.parametrize("other", [{"@type": "sc:Dataset", "@context": "https://schema.org/"}, {"@type": "x"}, []])
def test_other_json_ld_is_not_taken_for_it(other: object) -> None:
    assert codes(load(other)) == ["PE3111"]


def test_a_wrong_value_anywhere_is_at_worst_a_located_warning() -> None:
    for changed in damaged(DATASET, "@context", "@type"):
        assert survives(load(changed))

"""Cards are read for what people wrote in them, and not for what their template did."""

import json
from decimal import Decimal
from typing import Any

import pytest

from policy_engine.lineage.estate import Estate
from policy_engine.lineage.load import load_estate
from tests.lineage.damage import damaged, survives
from tests.lineage.imported import codes, edges, facts, kinds, load_sample, std_schema

HUB = "https://huggingface.co/datasets/"


def card(head: str, body: str = "", file: str = "README.md") -> Estate:
    return load_estate({file: f"---\n{head}\n---\n{body}".encode()}, std_schema())


def test_a_model_card_with_results() -> None:
    name = "tests__fixtures__cards__sample_simple_model_index.md"
    estate = load_sample(f"hf_cards/{name}")
    assert estate.problems == ()
    assert facts(estate, name) == {
        "name": "my-cool-model",
        "licence": "MIT",
        "library": "timm",
        "languages": frozenset({"en"}),
        "declared_metrics": frozenset({"accuracy = 0.9 on Beans", "f1 = 0.66 on Beans"}),
        "declared_accuracy": Decimal("0.9"),
    }
    assert edges(estate) == {(name, "trained_on", f"{HUB}beans"), (name, "tested_on", f"{HUB}beans")}


def test_a_dataset_card() -> None:
    name = "tests__fixtures__cards__sample_datasetcard_simple.md"
    estate = load_sample(f"hf_cards/{name}")
    assert estate.problems == ()
    assert kinds(estate) == {name: "Dataset"}
    assert facts(estate, name) == {
        "name": "Sample Segmentation",
        "licence": "BSD-3-Clause",
        "languages": frozenset({"en"}),
        "size": "n<1K",
        "annotation": "crowdsourced\nexpert-generated",
        "collection": "found",
    }


def test_a_card_with_line_ends_of_windows() -> None:
    name = "tests__fixtures__cards__sample_windows_line_breaks.md"
    estate = load_sample(f"hf_cards/{name}")
    assert estate.problems == ()
    assert facts(estate, name)["licence"] == "MIT"


@pytest.mark.parametrize(
    ("name", "code", "line"),
    [
        ("tests__fixtures__cards__sample_invalid_card_data.md", "PE3161", 2),
        ("src__huggingface_hub__templates__datasetcard_template.md", "PE3110", 4),
    ],
)
def test_front_matter_that_is_none_is_a_located_error(name: str, code: str, line: int) -> None:
    [problem] = load_sample(f"hf_cards/{name}").problems
    assert (problem.code, problem.line, problem.is_error) == (code, line, True)


def test_markdown_without_front_matter_is_a_card_only_if_it_looks_like_one() -> None:
    prose = load_sample("hf_cards/tests__fixtures__cards__sample_no_metadata.md")
    assert (codes(prose), kinds(prose)) == (["PE3111"], {})
    readme = b"# Payments service\n\nHow to build it.\n\n## Limitations\n\nNone known\n"
    assert kinds(load_estate({"README.md": readme}, std_schema())) == {}
    several = b"# Scorer\n\n## Intended use\nCredit\n\n## Limitations\nRetail only\n"
    for body in (b"# Model Card: Scorer\n", several):
        estate = load_estate({"README.md": body}, std_schema())
        assert codes(estate) == ["PE3172"]
        assert kinds(estate) == {"README.md": "Model"}
    dataset = load_estate({"d.md": b"# Dataset Card for Loans\n\n## Limitations\nRetail only\n"}, std_schema())
    assert kinds(dataset) == {"d.md": "Dataset"}
    assert facts(dataset, "d.md")["limitations"] == "Retail only"


HEAD: dict[str, Any] = {
    "model_name": "acme/scorer",
    "license": "other",
    "license_name": "acme-1.0",
    "language": ["en", "no"],
    "library_name": "transformers",
    "pipeline_tag": "text-classification",
    "tags": ["finance"],
    "base_model": ["meta/llama", "https://huggingface.co/acme/base"],
    "base_model_relation": "adapter",
    "datasets": ["acme/loans", "beans", "The Pile", "unknown"],
    "metrics": ["f1"],
    "co2_eq_emissions": {"emissions": 1250, "source": "CodeCarbon"},
    "model-index": [
        {
            "name": "scorer",
            "results": [
                {
                    "task": {"type": "text-classification"},
                    "dataset": {"type": "glue", "name": "GLUE", "split": "test"},
                    "metrics": [
                        {"type": "accuracy", "value": "91.5%", "name": "Test accuracy"},
                        {"type": "f1", "value": 0.66, "verified": True},
                    ],
                },
                {"dataset": {"type": "social media", "name": "Own"}, "metrics": [{"type": "wer", "value": 21.5}]},
            ],
        }
    ],
}
MODEL = "pkg:huggingface/acme/scorer"


def test_everything_that_a_model_card_can_say() -> None:
    estate = card(json.dumps(HEAD))
    assert [(p.code, p.pointer) for p in estate.problems] == [
        ("PE3173", "/datasets/2"),
        ("PE3173", "/model-index/0/results/1/dataset/type"),
    ]
    assert facts(estate, MODEL) == {
        "name": "acme/scorer",
        "licence": "acme-1.0",
        "languages": frozenset({"en", "no"}),
        "library": "transformers",
        "task": "text-classification",
        "adaptation": "adapter",
        "co2_kg": Decimal("1.25"),
        "declared_accuracy": Decimal("0.915"),
        "declared_metrics": frozenset({"accuracy = 91.5% on GLUE", "f1 = 0.66 on GLUE", "wer = 21.5 on Own"}),
    }
    assert estate.snapshot.nodes[MODEL].aliases == ("README.md",)
    assert edges(estate) == {
        (MODEL, "finetuned_from", "pkg:huggingface/meta/llama"),
        (MODEL, "finetuned_from", "pkg:huggingface/acme/base"),
        (MODEL, "trained_on", f"{HUB}acme/loans"),
        (MODEL, "trained_on", f"{HUB}beans"),
        (MODEL, "tested_on", f"{HUB}glue"),
        (MODEL, "supplied_by", "urn:ai-policy-engine:vendor:acme"),
    }


def test_one_value_may_stand_in_the_place_of_a_list() -> None:
    estate = card("datasets: beans\nbase_model: acme/base\nlanguage: en\nlicense: [mit]\nco2_eq_emissions: 500")
    assert estate.problems == ()
    assert facts(estate, "README.md") == {
        "licence": "MIT",
        "languages": frozenset({"en"}),
        "co2_kg": Decimal("0.5"),
    }
    assert {name for _, name, _ in edges(estate)} == {"trained_on", "finetuned_from"}


def test_a_card_in_the_cache_of_the_hub_is_known_with_its_revision() -> None:
    revision = "0123456789abcdef0123456789abcdef01234567"
    file = f"cache/models--acme--scorer/snapshots/{revision}/README.md"
    estate = card("license: mit", file=file)
    model = f"{MODEL}@{revision}"
    assert facts(estate, model)["version"] == revision
    data = card("license: mit", file=file.replace("models--", "datasets--"))
    assert kinds(data)[f"{HUB}acme/scorer/tree/{revision}"] == "Dataset"


def test_sources_of_a_dataset() -> None:
    estate = card(
        "source_datasets: [original, 'extended|squad', 'extended|other-tweets', 'my own', acme/x]\npretty_name: D"
    )
    assert codes(estate) == ["PE3173"]
    assert {target for _, name, target in edges(estate) if name == "derived_from"} == {
        f"{HUB}squad",
        f"{HUB}tweets",
        f"{HUB}acme/x",
    }


TEMPLATE = """\
# Model Card for {{ model_id }}

## Uses
### Direct Use
<!-- Say what it is for.
More lines. -->
[More Information Needed]

### Training Procedure
{{ training | default("[More Information Needed]", true) }}

## Bias, Risks, and Limitations
**[More Information Needed]**

## How to Get Started
```sh
## Limitations
cat model
```
"""


def test_a_template_that_nobody_filled_in_says_nothing() -> None:
    estate = card("license: mit\npipeline_tag: '[More Information Needed]'\nlibrary_name: TBD", TEMPLATE)
    assert estate.problems == ()
    assert facts(estate, "README.md") == {"licence": "MIT"}


def test_sections_of_the_text_are_facts() -> None:
    body = (
        "# Scorer\n\n## Intended uses & limitations\nScoring.\n\n### More\nx\n\n## Limitations and bias\n- Few young\n"
    )
    estate = card("license: mit", body)
    assert facts(estate, "README.md") == {
        "name": "Scorer",
        "licence": "MIT",
        "intended_use": "Scoring.",
        "limitations": "- Few young",
    }


def test_accuracies_that_are_several_or_no_fraction_are_not_the_accuracy() -> None:
    def results(*values: object) -> str:
        return json.dumps(
            {"model-index": [{"results": [{"metrics": [{"type": "accuracy", "value": v}]} for v in values]}]}
        )

    for values in ((93.2,), (0.9, 0.8)):
        estate = card(results(*values))
        assert codes(estate) == ["PE3171"]
        assert "declared_accuracy" not in facts(estate, "README.md")
        assert "declared_metrics" in facts(estate, "README.md")
    assert facts(card(results(0.9, "0.90")), "README.md")["declared_accuracy"] == Decimal("0.9")


def test_markdown_that_is_no_card_is_not_taken_for_one() -> None:
    assert codes(card("layout: post\ntitle: News")) == ["PE3111"]


def test_a_wrong_value_anywhere_is_at_worst_a_located_warning() -> None:
    for changed in damaged(HEAD):
        assert survives(card(json.dumps(changed)))


def test_a_licence_in_another_case_is_no_contradiction() -> None:
    hub = "pkg:huggingface/acme/scorer"
    bom = {"type": "machine-learning-model", "name": "s", "purl": hub, "licenses": [{"license": {"id": "Apache-2.0"}}]}
    files = {
        "README.md": b"---\nmodel_name: acme/scorer\nlicense: apache-2.0\n---\n",
        "bom.json": json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [bom]}).encode(),
    }
    estate = load_estate(files, std_schema())
    assert estate.snapshot.value(hub, "licence") == "Apache-2.0"

"""Write `sources/`: what the tools and suppliers of Tammi Trading say of their part, in their own formats.

    python make_sources.py

- `hand_detector.spdx3.json`: the SPDX 3.0 bill of materials of the company's own model;
- `hand_pictures.json`: the Croissant description of its training pictures;
- `question_embedder.md`: the card of the open model that the shop searches with;
- `exports.ndjson`: OpenLineage events of the nightly export from the shop.

Everything is invented. The same files come out each time.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SPDX = "https://spdx.tammi.example"


def hand_detector() -> dict[str, Any]:
    """What the company's own model is made of."""
    info = {"creationInfo": "_:info"}
    return {
        "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
        "@graph": [
            {
                "type": "CreationInfo",
                "@id": "_:info",
                "specVersion": "3.0.1",
                "createdBy": [f"{SPDX}/workshop"],
                "created": "2026-05-04T08:00:00Z",
            },
            {"type": "Organization", "spdxId": f"{SPDX}/workshop", "name": "Tammi Trading, workshop", **info},
            {
                "type": "SpdxDocument",
                "spdxId": f"{SPDX}/document-3",
                "profileConformance": ["core", "software", "ai", "dataset"],
                "rootElement": [f"{SPDX}/hand-detector-3"],
                **info,
            },
            {
                "type": "ai_AIPackage",
                "spdxId": f"{SPDX}/hand-detector-3",
                "name": "Hand detector",
                "software_packageVersion": "3",
                "software_primaryPurpose": "model",
                "ai_typeOfModel": ["convolutional network"],
                "ai_domain": ["machine safety"],
                "ai_limitation": "Not in the dark",
                **info,
            },
            {
                "type": "software_Package",
                "spdxId": f"{SPDX}/image-library",
                "name": "image-library",
                "software_packageVersion": "5.1.0",
                "software_packageUrl": "pkg:pypi/image-library@5.1.0",
                "software_primaryPurpose": "library",
                **info,
            },
            {
                "type": "Relationship",
                "spdxId": f"{SPDX}/relationship-1",
                "from": f"{SPDX}/hand-detector-3",
                "relationshipType": "dependsOn",
                "to": [f"{SPDX}/image-library"],
                **info,
            },
        ],
    }


def hand_pictures() -> dict[str, Any]:
    """The pictures that the model learned from."""
    return {
        "@context": {
            "@vocab": "https://schema.org/",
            "sc": "https://schema.org/",
            "cr": "http://mlcommons.org/croissant/",
            "rai": "http://mlcommons.org/croissant/RAI/",
            "dct": "http://purl.org/dc/terms/",
            "conformsTo": "dct:conformsTo",
        },
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "hand-pictures",
        "url": "https://data.tammi.example/hand-pictures",
        "description": "Hands at presses, cut out of the pictures of our own cameras",
        "license": "https://spdx.org/licenses/CC-BY-NC-4.0.html",
        "version": "3.0.0",
        "datePublished": "2026-03-02",
        "rai:dataCollection": "Cameras at three presses, from January to February 2026",
        "rai:dataBiases": ["Few hands of people under 25"],
        "rai:dataLimitations": ["No pictures in the dark"],
    }


QUESTION_EMBEDDER = """\
---
model_id: open-nordic/question-embedder
license: apache-2.0
language:
- fi
- sv
library_name: sentence-transformers
pipeline_tag: sentence-similarity
datasets:
- open-nordic/forum-questions
---

# Model card for question-embedder

Sentence vectors for questions in Finnish and Swedish.

## Uses

Search in shops and help pages.

## Bias, Risks, and Limitations

Trained on forums. Dialects were not looked at.
"""


def exports() -> Iterable[dict[str, Any]]:
    """The nightly export of notes on orders."""
    yield {
        "eventType": "COMPLETE",
        "eventTime": "2026-11-20T01:00:00Z",
        "producer": "https://shop.tammi.example/scheduler",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "01939f20-0000-7000-8000-000000000001"},
        "job": {"namespace": "shop", "name": "export_order_notes"},
        "inputs": [{"namespace": "postgres://shop.tammi.example", "name": "shop.orders"}],
        "outputs": [{"namespace": "file://shop-exports", "name": "order_notes"}],
    }


def main() -> None:
    """Write everything beside this file."""
    folder = Path(__file__).parent / "sources"
    folder.mkdir(exist_ok=True)
    for name, document in (
        ("hand_detector.spdx3.json", hand_detector()),
        ("hand_pictures.json", hand_pictures()),
    ):
        (folder / name).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (folder / "exports.ndjson").write_text("".join(f"{json.dumps(e)}\n" for e in exports()), encoding="utf-8")
    (folder / "question_embedder.md").write_text(QUESTION_EMBEDDER, encoding="utf-8")


if __name__ == "__main__":
    main()

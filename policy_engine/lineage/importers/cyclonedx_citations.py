"""Citations of CycloneDX 1.7: who asserted which part of a BOM, and when.

A citation names parts by JSON pointers, or by expressions, which are not read; and who asserted them by a bom-ref.
"""

from policy_engine.lineage.importers.gathering import Gathering

_Entry = dict[str, object]


def attribute_cited(gathering: Gathering, bom: _Entry) -> None:
    """Attribute what citations point at to those whom they name."""
    shapes = gathering.shapes
    citations = list(shapes.parts(bom, "citations", ""))
    names = _names(bom) if citations else {}
    for number, (citation, at) in enumerate(citations):
        who = shapes.text(citation, "attributedTo", at) or shapes.text(citation, "process", at)
        if not who:
            shapes.report("PE3120", "a citation needs `attributedTo` or `process`", at)
            continue
        when = gathering.instant(citation.get("timestamp"), f"{at}/timestamp")
        name = shapes.text(citation, "bom-ref", at) or f"citations/{number}"
        for pointer, _ in shapes.texts(citation, "pointers", at):
            gathering.attribute_to(pointer.rstrip("/"), name, names.get(who, who), when)
        if citation.get("expressions") is not None:
            gathering.skip("citations by expressions are not kept", f"{at}/expressions", "PE3178")


def _names(bom: _Entry) -> dict[str, str]:
    """Return the name of everything in a BOM that has a bom-ref and a name."""
    found: dict[str, str] = {}
    waiting: list[object] = [bom]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            ref, name = part.get("bom-ref"), part.get("name")
            if isinstance(ref, str) and isinstance(name, str) and name:
                found.setdefault(ref, name)
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return found

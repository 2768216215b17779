"""Taking stock: what is listed, what somebody should look at, and the answers for CI."""

import csv
import io
import json
import time
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "credit-scoring"
SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples"
DIGEST = "sha256:" + "ab" * 32

REGISTER = f"""inventory: 1
asserted_by: the office
nodes:
  - {{id: chat, kind: System, name: Chat, owner: Customer care, stage: production, uses_model: [chat-model]}}
  - {{id: chat-model, kind: Model, name: Chat model, aliases: ["hf://example/chat"], owned_by: gone}}
  - {{id: old-model, kind: Model, name: Old model, owner: Ada Gone, stage: retired}}
  - {{id: idle-model, kind: Model, name: Idle model, owner: Bea Here, digest: "{DIGEST}"}}
  - {{id: copy, kind: Dataset, name: Copy, owner: Bea Here, digest: "{DIGEST}"}}
  - {{id: loans-2025, kind: Dataset, name: Loans 2025, owner: Bea Here}}
  - {{id: gone, kind: Person, name: Ada Gone, active: false}}
  - {{id: bea, kind: Person, name: Bea Here}}
  - {{id: maker, kind: Vendor, name: Maker, supplies: [chat-model]}}
"""


def bom(*components: dict[str, object]) -> str:
    head = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
    }
    return json.dumps(head | {"components": list(components)})


def model(name: str, **parts: object) -> dict[str, object]:
    return {"type": "machine-learning-model", "name": name} | parts


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """A register and what a tool has seen."""
    (tmp_path / "register.yaml").write_text(REGISTER)
    data = {"type": "data", "name": "loans_2025"}
    seen = (
        model("Chat model", purl="pkg:huggingface/example/chat", description="from the vendor"),
        model("Shadow", purl="pkg:huggingface/example/shadow@1"),
        model("Shadow", purl="pkg:huggingface/example/shadow@2"),
        data,
    )
    (tmp_path / "bom.json").write_text(bom(*seen))
    return tmp_path


def document(run, *arguments: object) -> dict:
    ran = run("inventory", *arguments, "--format", "json")
    assert ran.code in (0, 1), ran.err
    return json.loads(ran.out)


def found(listed: dict, section: str) -> dict[str, str]:
    return {f["things"][0]: f["message"] for f in listed["findings"] if f["section"] == section}


def test_every_section(run, estate):
    listed = document(run, estate)
    assert found(listed, "shadow") == {
        "pkg:huggingface/example/shadow@1": "seen in `bom.json`",
        "pkg:huggingface/example/shadow@2": "seen in `bom.json`",
    }
    assert found(listed, "owners") == {
        "chat-model": "owned by `gone`, who is marked inactive",
        "old-model": "`owner` is `Ada Gone`, who is marked inactive",
        "pkg:huggingface/example/shadow@1": "nobody is named who answers for it",
        "pkg:huggingface/example/shadow@2": "nobody is named who answers for it",
        "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79#loans_2025": "nobody is named who answers for it",
    }
    # Two versions of one package are two things; two kinds of one content are probably a mistake.
    assert found(listed, "duplicates") == {
        "copy": "shares the content digest with `idle-model`",
        "loans-2025": "shares the name and kind with `urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79#loans_2025`",
    }
    # A retired model is not expected to be seen, and no tool here names any system.
    assert set(found(listed, "stale")) == {"idle-model", "copy", "loans-2025"}
    assert set(found(listed, "orphans")) == {
        "copy",
        "idle-model",
        "loans-2025",
        "old-model",
        "pkg:huggingface/example/shadow@1",
        "pkg:huggingface/example/shadow@2",
        "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79#loans_2025",
    }
    assert listed["counts"]["sections"]["contradictions"] == 0
    assert listed["vendors"] == [{"id": "maker", "name": "Maker", "supplies": 1}]
    joined = next(thing for thing in listed["things"] if thing["id"] == "chat-model")
    assert joined["sources"] == ["bom.json", "register.yaml"]
    assert joined["registered"] is True


def test_the_line_that_settles_a_duplicate_settles_it(run, estate):
    (advice,) = (
        f["advice"]
        for f in document(run, estate)["findings"]
        if f["section"] == "duplicates" and f["things"][0] == "loans-2025"
    )
    line = advice.partition("give `loans-2025` ")[2]
    register = estate / "register.yaml"
    register.write_text(register.read_text().replace("name: Loans 2025", f"name: Loans 2025, {line}"))
    listed = document(run, estate)
    assert "loans-2025" not in found(listed, "duplicates")
    assert "loans-2025" not in found(listed, "stale")
    assert not found(listed, "contradictions")  # the names differ, and the register's stands
    assert next(thing["name"] for thing in listed["things"] if thing["id"] == "loans-2025") == "Loans 2025"


def test_contradictions_name_every_source(run, estate):
    (estate / "more.yaml").write_text("inventory: 1\nnodes: [{id: chat, kind: System, stage: retired}]\n")
    message = found(document(run, estate), "contradictions")["chat"]
    assert message == "`stage` is `production` in register.yaml:4 and `retired` in more.yaml:2"


def test_the_text_is_one_line_a_thing(run, estate):
    ran = run("inventory", estate, "--limit", "2")
    lines = ran.out.splitlines()
    assert lines[0] == "12 things and 3 relations from 2 sources"
    assert "shadow 2, contradictions 0, duplicates 2, owners 5, orphans 7, stale 3" in lines[2]
    assert "… and 10 more (--limit 0 shows all)" in ran.out
    everything = run("inventory", estate, "--limit", "0").out
    assert "more (--limit" not in everything
    assert everything.splitlines()[-1].split()[:2] == ["Vendor", "maker"]
    things = everything.partition("THINGS")[2].splitlines()[1:]
    assert [line.split()[0] for line in things] == ["Model"] * 5 + ["System"] + ["Dataset"] * 3 + ["Person"] * 2 + [
        "Vendor"
    ]


def test_the_order_and_way_of_naming_files_changes_nothing(run, estate, monkeypatch):
    monkeypatch.chdir(estate)
    first = run("inventory", "bom.json", "register.yaml", "--format", "json").out
    assert run("inventory", "register.yaml", "bom.json", "--format", "json").out == first
    assert run("inventory", ".", "--format", "json").out == first


@pytest.mark.parametrize(
    ("sections", "code"),
    [("shadow", 1), ("contradictions", 0), ("contradictions,stale", 1), ("owners, orphans", 1), ("", 0)],
)
def test_answers_for_ci(run, estate, sections, code):
    assert run("inventory", estate, "--fail-on", sections).code == code


def test_a_kind_and_what_lies_below_it(run, estate):
    listed = document(run, estate, "--kind", "Model", "--kind", "Vendor")
    assert set(listed["counts"]["kinds"]) == {"Model", "Vendor"}
    assert set(found(listed, "duplicates")) == {"copy"}
    assert run("inventory", estate, "--kind", "System", "--fail-on", "shadow").code == 0
    refused = run("inventory", estate, "--kind", "Modle")
    assert refused.code == 2
    assert "error[PE0007]: there is no kind `Modle`" in refused.err
    assert "did you mean `Model`?" in refused.err


def test_csv_has_a_row_for_each_thing_and_no_formula(run, tmp_path):
    evil = '=HYPERLINK("http://evil.example")'
    (tmp_path / "a.json").write_text(bom(model(evil, purl="pkg:x/m@1"), model("a,b\nc", purl="pkg:x/n")))
    rows = list(csv.DictReader(io.StringIO(run("inventory", tmp_path, "--format", "csv").out)))
    assert {row["id"]: row["name"] for row in rows} == {"pkg:x/m@1": f"'{evil}", "pkg:x/n": "a,b\nc"}
    assert rows[0]["registered"] == "no"
    assert rows[0]["findings"] == "shadow | owners | orphans"


def test_names_of_others_do_not_reach_the_terminal_as_they_are(run, tmp_path):
    (tmp_path / "a.json").write_text(bom(model("a\x1b[2J\u202eb\nFAKE LINE", purl="pkg:x/m@1")))
    out = run("inventory", tmp_path).out
    assert "a·[2J·b·FAKE LINE" in out
    assert "\x1b[2J" not in out
    assert not any(line.startswith("FAKE") for line in out.splitlines())


def test_without_a_register_everything_is_shadow(run, tmp_path):
    (tmp_path / "a.json").write_text(bom(model("m", purl="pkg:x/m@1")))
    ran = run("inventory", tmp_path, "--fail-on", "shadow")
    assert ran.code == 1
    assert "no source is an inventory of your own, so everything counts as absent from the register" in ran.out


def test_without_a_tool_nothing_can_be_called_stale(run, tmp_path):
    (tmp_path / "register.yaml").write_text(REGISTER)
    assert "so nobody can say what is stale" in run("inventory", tmp_path).out
    refused = run("inventory", tmp_path, "--fail-on", "stale")
    assert refused.code == 2
    assert "error[PE0007]: `--fail-on stale` has no answer" in refused.err


def test_what_cannot_be_used_is_told_and_the_rest_listed(run, estate):
    (estate / "broken.json").write_text('{"inventory": 1, "nodes": [{"id": "x", "kind": "Sytem"}]')
    (estate / "notes.json").write_text("{}")
    (estate / "photo.png").write_bytes(b"\x89PNG")
    ran = run("inventory", estate, "--problems")
    assert ran.code == 2
    assert ran.out.startswith("12 things")
    assert "broken.json:1:57: error[PE3104]" in ran.err
    assert "warning[PE3111]: the format of the document is not known" in ran.err  # it merely lay there
    named = run("inventory", estate / "notes.json")
    assert named.code == 2
    assert "error[PE3111]" in named.err
    assert "photo" not in ran.err


def test_prose_in_a_folder_is_no_card(run, estate):
    (estate / "README.md").write_text("# How to use this folder\n")
    (estate / "card.md").write_text("---\nlicense: mit\nmodel_name: carded\n---\n# Carded\n")
    names = {thing["name"] for thing in document(run, estate)["things"]}
    assert "carded" in names
    assert len(names) == 12


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nowhere",), "PE0001"),
        (("",), "PE0001"),
        (("empty",), "PE0008"),
        ((EXAMPLE, "profile.toml"), "PE0007"),
        ((EXAMPLE, EXAMPLE / "inventory.yaml", "nowhere.json"), "PE0001"),
        (("register.yaml", "--fail-on", "ghosts"), "PE0007"),
        (("register.yaml", "--pack", "no_such_pack"), "PE0004"),
    ],
)
def test_bad_usage_is_told_with_a_code(run, estate, monkeypatch, arguments, code):
    monkeypatch.chdir(estate)
    (estate / "empty").mkdir()
    ran = run("inventory", *arguments)
    assert ran.code == 2
    assert f"error[{code}]" in ran.err


def test_a_link_to_its_own_folder_is_not_followed(run, estate):
    (estate / "sub").mkdir()
    (estate / "sub" / "again").symlink_to(estate)
    assert run("inventory", estate).out.startswith("12 things and 3 relations from 2 sources")


def test_a_profile_with_more_files_beside_it(run, estate):
    listed = document(run, EXAMPLE, estate / "bom.json")
    names = [source["name"] for source in listed["sources"]]
    assert names == [str(estate / "bom.json"), "bom/assistant.cdx.json", "inventory.yaml"]
    assert "pkg:huggingface/example/shadow@1" in found(listed, "shadow")
    # What the profile reads is not read twice, by whatever path it is named.
    twice = document(run, EXAMPLE, EXAMPLE / "bom" / ".." / "inventory.yaml")
    assert twice == document(run, EXAMPLE)


def test_a_file_called_like_a_source_of_the_profile_is_refused(run, estate, monkeypatch):
    monkeypatch.chdir(estate)
    (estate / "inventory.yaml").write_text(REGISTER)
    ran = run("inventory", EXAMPLE, "inventory.yaml")
    assert ran.code == 2
    assert "error[PE0007]: `inventory.yaml` has the name of another source" in ran.err
    assert run("inventory", EXAMPLE, estate / "inventory.yaml").code == 0


def test_the_example(run):
    listed = document(run, EXAMPLE)
    assert set(found(listed, "shadow")) == {"pkg:generic/lumen-ai/lumen-base@3.0.0"}
    assert listed["format"] == "urn:ai-policy-engine:inventory-report:v1"
    assert {source["format"] for source in listed["sources"]} == {"cyclonedx", "inventory"}


def test_real_documents_of_many_tools(run):
    if not SAMPLES.is_dir():
        pytest.skip("the samples are not there")
    listed = document(run, SAMPLES / "cyclonedx")
    other = "urn:uuid:2f0aac6a-edd8-4233-841e-afb62e274871#Falconsai/nsfw_image_detection"
    assert found(listed, "duplicates") == {
        "pkg:huggingface/Falconsai/nsfw_image_detection@04367978": f"shares the name and kind with `{other}`"
    }


def test_ten_thousand_things_are_listed_in_little_time_and_space(run, tmp_path):
    nodes = [{"id": f"m{n}", "kind": "Model", "name": "model", "digest": DIGEST} for n in range(10_000)]
    (tmp_path / "register.json").write_text(json.dumps({"inventory": 1, "nodes": nodes}))
    start = time.process_time()
    ran = run("inventory", tmp_path)
    assert time.process_time() - start < 30
    assert len(ran.out.splitlines()) < 100
    assert max(len(line) for line in ran.out.splitlines()) < 1_000

"""Rules are said in English, from the syntax tree, so that an officer hears what the engine reads."""

import pytest

from policy_dsl import compile_bytes, english
from policy_engine.packs.library import library, select

PROGRAM, _ = compile_bytes(select(library(), {}).files)


@pytest.mark.parametrize("name", PROGRAM.rules)
def test_every_rule_of_the_library_can_be_said(name):
    sentences = english.rule(PROGRAM.rules[name].syntax)
    assert sentences[0].startswith("This is about every ")
    assert all(s.endswith(".") and "  " not in s and "Identifier" not in s for s in sentences)


@pytest.mark.parametrize("name", PROGRAM.definitions)
def test_every_definition_of_the_library_can_be_said(name):
    sentence = english.definition(PROGRAM.definitions[name].syntax)
    assert sentence.endswith(".")
    assert "  " not in sentence


def said(requirement: str) -> str:
    definition = "define any_shared() as some Model\n"
    text = f"policy p\nuse std.ai\n{definition}rule r\n    for each System\n    {requirement}\n"
    files = {**select(["std.ai"], {}).files, "p.policy": text.encode()}
    program, found = compile_bytes(files)
    assert not found, found
    sentence = english.rule(program.rules["p.r"].syntax)[1]
    return sentence.removeprefix("It is required that ").removesuffix(".")


@pytest.mark.parametrize(
    ("requirement", "words"),
    [
        ("must system.owner is known", "the owner of system is known"),
        ("must any_shared()", "“any shared” holds"),
        ("must not system.profiles_persons", "the profiles persons of system is no"),
        ("must system.stage in {testing, production}", "the stage of system is one of testing or production"),
        ('must system.name like "gpt-*"', "the name of system looks like “gpt-*”"),
        (
            "must some Person in system.overseen_by where person.has_authority",
            "there is a Person that system leads to by overseen_by for which the has authority of person is yes",
        ),
        (
            "must no Dataset upstream of system via trained_on within 3 hops where dataset.personal_data",
            (
                "there is no Dataset upstream of system (by way of trained_on, or of a part; at most 3 steps away) "
                "for which the personal data of dataset is yes"
            ),
        ),
        (
            (
                "must every Vendor in system.supplied_by has evidence vendor_assessment signed by at least 2 distinct "
                "vendor_manager not older than 1 year where rating is low"
            ),
            (
                "every Vendor that system leads to by supplied_by has signed evidence of type vendor assessment, "
                "signed by at least 2 holders of the role vendor manager, younger than 1 year, in which rating is low"
            ),
        ),
        (
            "must (system.generates_content or system.social_scoring) and system.owner is known",
            (
                "(the generates content of system is yes or the social scoring of system is yes) "
                "and the owner of system is known"
            ),
        ),
        (
            "may system.stage is production only if system has evidence approval",
            "if the stage of system is production, then system has signed evidence of type approval",
        ),
        (
            "must (count of Model in system.uses_model/finetuned_from*) <= 3",
            (
                "the number of Model that system leads to by uses_model, then finetuned_from (any number of times) "
                "is at most 3"
            ),
        ),
        (
            "must (system.marks_output if unknown then false)",
            "the marks output of system (no where that is not known) is yes",
        ),
        (
            "must system.placed_on_market between 2026-01-01 and today",
            "the placed on market of system is from 2026-01-01 to today",
        ),
    ],
)
def test_what_a_form_means_is_said(requirement, words):
    assert said(requirement) == words

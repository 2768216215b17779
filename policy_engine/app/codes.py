"""Every code that a user can meet, from all parts of the engine, and what it means."""

from functools import cache


@cache
def all_codes() -> dict[str, str]:
    """Return code → meaning, sorted by code.

    Raises:
        ValueError: two parts give one code different meanings.
    """
    from policy_dsl.codes import CODES as LANGUAGE
    from policy_dsl.format.codes import CODES as FORMAT
    from policy_dsl.lint.codes import CODES as LINT
    from policy_engine.app.foresight_codes import CODES as FORESIGHT
    from policy_engine.app.graph import CODES as PICTURES
    from policy_engine.app.packs_codes import CODES as PACKS
    from policy_engine.app.verify import CODES as VERIFICATION
    from policy_engine.app.watch_codes import CODES as WATCH
    from policy_engine.evaluation.incremental.codes import CODES as INCREMENTAL
    from policy_engine.evaluation.sets.codes import CODES as SETS
    from policy_engine.evaluation.sets.spark_codes import CODES as SPARK
    from policy_engine.lineage.codes import CODES as LINEAGE
    from policy_engine.lineage.columns.codes import CODES as ESTATE_FILES
    from policy_engine.lineage.store.codes import CODES as STORE
    from policy_engine.model.errors import CODES as USE
    from policy_evidence.errors import CODES as EVIDENCE
    from policy_reports.errors import CODES as REPORTS

    found: dict[str, str] = {}
    for codes in (
        USE,
        STORE,
        LANGUAGE,
        FORMAT,
        LINT,
        LINEAGE,
        ESTATE_FILES,
        EVIDENCE,
        VERIFICATION,
        FORESIGHT,
        PACKS,
        PICTURES,
        SETS,
        SPARK,
        INCREMENTAL,
        WATCH,
        REPORTS,
    ):
        for code, meaning in codes.items():
            if code in found:
                raise ValueError(code)
            found[code] = meaning
    return dict(sorted(found.items()))

"""DuckDB, with the fastest SQL that we could write: from what breaks a rule, backwards to whom it concerns."""

from collections.abc import Callable
from pathlib import Path

from benchmarks.findings import R2_UNKNOWN, Findings
from benchmarks.generator import EDGES, EVIDENCE, NOW, THINGS
from benchmarks.rules import AUDIT_DAYS, EXPOSED, HOPS, LEARNT, MOST_MODELS, SUPPLIED

_LOAD = f"""
create table thing as select * from read_parquet('{{folder}}/{THINGS}');
create table edge as select * from read_parquet('{{folder}}/{EDGES}');
create table evidence as select * from read_parquet('{{folder}}/{EVIDENCE}') where issued <= {NOW} and {NOW} < until;
create table learnt as select source, target from edge where type in {LEARNT};
create table supplied as select source, target from edge where type in {SUPPLIED};
create table exposed as select source, target from edge where type in {EXPOSED};
create table running as select * from thing where kind = 'model' and stage = 'production';
"""  # noqa: S608 - of our own constants

QUERIES = {
    "r1": "select id from running where owner is null or risk_class is null",
    "r2": f"""
        select id from running where risk_class = 'high' and not exists (select 1 from evidence
            where about = running.id and type = 'bias_audit' and issued > {NOW - AUDIT_DAYS})""",  # noqa: S608 - of our own constants
    R2_UNKNOWN: "select id from running where risk_class is null",
    "r3": """
        with recursive tainted(id) as (
            select id from thing where kind = 'dataset' and contains_pii
                and not exists (select 1 from evidence where about = thing.id and type = 'dpia')
            union select source from tainted join learnt on target = tainted.id)
        select id from tainted join running using (id)""",
    "r4": f"""
        with recursive near(id, hops) as (
            select id, 0 from thing where kind = 'vendor' and soc2_expiry < {NOW}
            union select source, hops + 1 from near join supplied on target = near.id where hops < {HOPS})
        select distinct id from near join thing using (id) where kind = 'deployment'""",  # noqa: S608 - of our own constants
    "r5": """
        with recursive tainted(id, origin) as (
            select id, region from thing where kind = 'dataset'
                and not exists (select 1 from evidence where about = thing.id and type = 'transfer_agreement')
            union select source, origin from tainted join learnt on target = tainted.id)
        select distinct id from tainted join running using (id) where region <> origin""",
    "r6a": f"""
        with recursive dependent(id, vendor) as (
            select id, id from thing where kind = 'vendor'
            union select source, vendor from dependent join supplied on target = dependent.id)
        select vendor from dependent join running using (id) group by vendor having count(*) > {MOST_MODELS}""",  # noqa: S608 - of our own constants
    "r6b": """
        with recursive tainted(id) as (
            select id from thing where kind = 'dataset' and contains_pii
            union select source from tainted join exposed on target = tainted.id
                join thing on thing.id = tainted.id where kind <> 'anonymisation')
        select id from tainted join thing using (id) where kind = 'endpoint'""",
}


def load(folder: Path) -> Callable[[], Findings]:
    """Load the tables, and return the seven queries as work."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(_LOAD.format(folder=folder))
    return lambda: {name: connection.execute(query).fetchnumpy().popitem()[1] for name, query in QUERIES.items()}


def one_rule(folder: Path) -> Callable[[], Findings]:
    """Return one query, which is what a changed fact costs where everything is asked anew."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(_LOAD.format(folder=folder))
    return lambda: {"r3": connection.execute(QUERIES["r3"]).fetchnumpy().popitem()[1]}

"""Both kernels do the same on any graph with circles, and what they do is what a plain walk finds."""

import importlib.util
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.evaluation.sets import numpy_kernel, numpy_sets
from policy_engine.evaluation.sets.estate import Estate
from policy_engine.evaluation.sets.evaluator import SetEvaluator
from policy_engine.evaluation.sets.kernel import Flow, Sweep
from policy_engine.evaluation.sets.native_kernel import NativeKernel
from policy_engine.evaluation.sets.numpy_kernel import NumpyKernel
from policy_engine.lineage.columns.layout import written
from policy_engine.lineage.columns.numbering import number_nodes
from policy_engine.lineage.columns.reader import EstateFile
from policy_engine.lineage.columns.writer import estate_bytes, table_of
from policy_engine.lineage.errors import LineageError
from policy_engine.lineage.graph import Edge, Node, Snapshot
from policy_engine.model.evidence import EvidenceSet
from tests.sets.estates import AT, NATIVE, NEEDS_NATIVE, evidence, program_of, snapshot

KERNELS = (NativeKernel(), NumpyKernel()) if NATIVE else (NumpyKernel(),)
TYPES = ("a", "b", "c")


def bytes_of(size: int, edges: list[tuple[str, int, int]]) -> bytes:
    nodes = [Node(f"n{i:03}", "Thing") for i in range(size)]
    snapshot = Snapshot.build(nodes, [Edge(t, f"n{x:03}", f"n{y:03}") for t, x, y in edges])
    return estate_bytes(table_of(snapshot, EvidenceSet(), {}, {}))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[tuple[str, int, int]]]:
    size = draw(st.integers(1, 24))
    node = st.integers(0, size - 1)
    return size, draw(st.lists(st.tuples(st.sampled_from(TYPES), node, node), max_size=60))


def walked(estate: Estate, sweep: Sweep) -> np.ndarray:
    """What flows into each node, by rounds over all edges until nothing changes."""
    way = estate.way(upstream=sweep.upstream)
    found = np.zeros_like(sweep.own)
    while True:
        passed = found if sweep.passing is None else found & sweep.passing
        out = sweep.own | (passed & ~sweep.field) | ((passed & sweep.kept) << sweep.own.dtype.type(1))
        after = np.zeros_like(found)
        for node in range(estate.size):
            for edge in range(way.row[node], way.row[node + 1]):
                after[node] |= out[way.far[edge]] & sweep.allowed[way.type[edge]]
        if (after == found).all():
            return found
        found = after


@settings(max_examples=100, deadline=None)
@given(graph=graphs(), seed=st.integers(0, 2**32), upstream=st.booleans())
def test_a_sweep_is_what_rounds_over_all_edges_come_to(graph, seed, upstream):
    estate, dice = Estate(EstateFile(bytes_of(*graph))), np.random.default_rng(seed)
    for word, width in ((np.uint16, 1), (np.uint32, 1), (np.uint64, 1), (np.uint64, 3)):
        top = np.iinfo(word).max

        def some(*shape: int, word=word, top=top) -> np.ndarray:
            return dice.integers(0, top, shape, word, endpoint=True) & dice.integers(0, top, shape, word, endpoint=True)

        field = some(width)
        passing = some(estate.size, width) if dice.integers(2) else None
        allowed = some(max(1, len(estate.types)), width)
        own = some(estate.size, width) & some(estate.size, width)
        sweep = Sweep(upstream, allowed, passing, field, field & some(width), own)
        expected = walked(estate, sweep)
        for kernel in KERNELS:
            found, _ = kernel.sweep(estate, sweep)
            assert (found == expected).all(), kernel.name


@settings(max_examples=100, deadline=None)
@given(graph=graphs(), seed=st.integers(0, 2**32), upstream=st.booleans(), most=st.sampled_from([0, 1, 2, 5]))
def test_sets_are_counted_from_either_side(graph, seed, upstream, most):
    estate, dice = Estate(EstateFile(bytes_of(*graph))), random.Random(seed)
    n = estate.size
    passing = np.array([dice.random() < 0.8 for _ in range(n)]) if dice.random() < 0.7 else None
    allowed = np.array([dice.random() < 0.8 for _ in estate.types] or [False])
    chosen = [v for v in range(n) if dice.random() < 0.5]
    carrier = np.full(n, -1, np.int32)
    carrier[chosen] = np.arange(len(chosen))
    counted = np.array([dice.random() < 0.5 for _ in range(n)])
    flow = Flow(upstream, allowed, passing, carrier, len(chosen))
    way = estate.way(upstream=upstream)
    reached = [_reach(way, v, allowed, passing) for v in range(n)]
    sizes = [len(reached[v] & set(chosen)) for v in range(n)]
    tallies = [sum(bool(counted[w]) for w in reached[v]) for v in chosen]
    for kernel in KERNELS:
        found = kernel.sizes(estate, flow, most)
        assert found is not None
        assert found.tolist() == [min(size, most) if most else size for size in sizes], kernel.name
        tallied = kernel.tallies(estate, flow, counted)
        assert tallied is not None
        assert tallied.tolist() == tallies, kernel.name


@settings(max_examples=60, deadline=None)
@given(graph=graphs(), seed=st.integers(0, 2**32), upstream=st.booleans(), block=st.sampled_from([1, 3]))
def test_sets_are_the_same_in_small_parts_and_as_bits(graph, seed, upstream, block):
    estate, dice = Estate(EstateFile(bytes_of(*graph))), np.random.default_rng(seed)
    n, kernel = estate.size, NumpyKernel()
    carrier = np.where(dice.random(n) < 0.5, 0, -1).astype(np.int32)
    carrier[carrier == 0] = np.arange(np.count_nonzero(carrier == 0))
    flow = Flow(upstream, np.ones(max(1, len(estate.types)), bool), None, carrier, int(carrier.max()) + 1)
    counted = dice.random(n) < 0.5
    expected = kernel.sizes(estate, flow, 0), kernel.tallies(estate, flow, counted)
    # Hypothesis asks many times of one test: what is changed for a call is put back after it.
    for name, value in (("_BLOCK", block), ("_MOST_ITEMS", 0)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(numpy_sets, name, value)
            found = kernel.sizes(estate, flow, 0), kernel.tallies(estate, flow, counted)
        for one, other in zip(found, expected, strict=True):
            assert one is not None
            assert other is not None
            assert one.tolist() == other.tolist(), name


def test_too_many_carriers_with_large_sets_are_refused(monkeypatch):
    estate = Estate(EstateFile(bytes_of(3, [("a", 0, 1), ("b", 1, 2)])))
    monkeypatch.setattr(numpy_sets, "_MOST_ITEMS", 0)
    monkeypatch.setattr(numpy_kernel, "_MOST_CARRIERS", 1)
    flow = Flow(True, np.ones(2, bool), None, np.array([0, 1, -1], np.int32), 2)
    assert NumpyKernel().sizes(estate, flow, 0) is None
    assert NumpyKernel().tallies(estate, flow, np.ones(3, bool)) is None


def _reach(way, start, allowed, passing) -> set[int]:
    seen: set[int] = set()
    waiting = [start]
    first = True
    while waiting:
        node = waiting.pop()
        if first or passing is None or passing[node]:
            for edge in range(way.row[node], way.row[node + 1]):
                far = int(way.far[edge])
                if allowed[way.type[edge]] and far not in seen:
                    seen.add(far)
                    waiting.append(far)
        first = False
    return seen


@NEEDS_NATIVE
@settings(max_examples=200, deadline=None)
@given(graph=graphs())
def test_numbering_is_that_of_the_standard_library(graph):
    size, edges = graph
    rows: list[list[int]] = [[] for _ in range(size)]
    for _, source, target in sorted(set(edges)):
        rows[source].append(target)
    row = np.cumsum([0, *map(len, rows)]).tolist()
    far = [target for targets in rows for target in targets]
    number, cycles = NativeKernel().number_nodes(size, row, far)
    expected, expected_cycles = number_nodes(size, row, far)
    assert (number.tolist(), cycles) == (list(expected), expected_cycles)


@NEEDS_NATIVE
def test_numbering_refuses_what_is_no_graph():
    for row, far in (([0, 2], [0]), ([0, 1], [5]), ([0], []), ([1, 1], [])):
        with pytest.raises(ValueError, match="rows are not those of a graph"):
            NativeKernel().number_nodes(1, row, far)


@NEEDS_NATIVE
@pytest.mark.parametrize("upstream", [True, False])
def test_a_ring_of_a_hundred_thousand_is_no_trap(upstream):
    # An order that is against the flow would take as many rounds as there are nodes.
    from policy_engine.lineage.columns.arrays import Numpy
    from policy_engine.lineage.columns.table import Edges, EstateTable, Texts

    n = 100_000
    edges = Edges(("a",), np.zeros(n, np.int64), np.arange(n), np.roll(np.arange(n), 1))
    table = EstateTable(Texts.of(f"{i:06}" for i in range(n)), ("Thing",), np.zeros(n, np.int64), {}, edges)
    estate = Estate(EstateFile(estate_bytes(table, Numpy(), NativeKernel().number_nodes)))
    own = np.zeros((n, 1), np.uint16)
    own[n // 3] = 1
    none = np.zeros(1, np.uint16)
    sweep = Sweep(upstream, np.ones((1, 1), np.uint16), None, none, none, own)
    assert all((kernel.sweep(estate, sweep)[0] == 1).all() for kernel in KERNELS)


@settings(max_examples=150, deadline=None)
@given(graph=graphs(), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_damaged_file_is_refused_or_harmless(graph, place, bit):
    data = bytearray(bytes_of(*graph))
    data[int(place * len(data))] ^= 1 << bit
    try:
        estate = Estate(EstateFile(bytes(data)))
    except LineageError as error:
        assert error.problem.code in {"PE3401", "PE3402", "PE3403"}
        return
    own = np.ones((estate.size, 1), np.uint64)
    none = np.zeros(1, np.uint64)
    allowed = np.ones((max(1, len(estate.types)), 1), np.uint64)
    for kernel in KERNELS:
        for upstream in (True, False):
            kernel.sweep(estate, Sweep(upstream, allowed, None, none, none, own))


def rewritten(file: EstateFile, **changed: bytes) -> EstateFile:
    """Return a file with other sections, so that every sum is right and only the meaning is not."""
    sections = {name: (file.typecode(name), changed.get(name, bytes(file.section(name)))) for name in file.names}
    header = {key: value for key, value in file.header.items() if key not in {"sections", "format"}}
    return EstateFile(b"".join(bytes(piece) for piece in written(header, sections)))


def test_numbers_that_do_not_put_dependencies_first_are_refused():
    file = EstateFile(bytes_of(2, [("a", 0, 1)]))
    turned = {f"{one}.{part}": bytes(file.section(f"{two}.{part}")) for one, two in WAYS for part in ("row", "far")}
    with pytest.raises(LineageError, match="not numbered dependencies first"):
        Estate(rewritten(file, **turned))


WAYS = (("up", "down"), ("down", "up"))


@settings(max_examples=200, deadline=None)
@given(data=st.data(), value=st.integers(0, 255))
def test_a_file_made_to_deceive_is_refused_or_harmless(data, value):
    file = EstateFile(estate_bytes(table_of(snapshot(), evidence(), {}, {})))
    name = data.draw(st.sampled_from(sorted(name for name in file.names if len(bytes(file.section(name))))))
    section = bytearray(file.section(name))
    section[data.draw(st.integers(0, len(section) - 1))] = value
    for kernel in ("auto", "numpy"):
        try:
            evaluator = SetEvaluator(PROGRAM, rewritten(file, **{name: bytes(section)}), kernel)
            results = evaluator.evaluate(AT)
            list(results.findings())
        except LineageError as error:
            assert error.problem.code in {"PE3401", "PE3402", "PE3403"}


PROGRAM = program_of("""
rule a
    for each Thing
    must thing.number < 3 and thing has evidence audit signed by auditor not older than 6 months where score >= 1
rule b
    for each Model
    must every Thing as x upstream of model not through (Data as b where b.flag) satisfies x.colour is model.colour
rule c
    for each Data
    must at most 1 Thing as x downstream of data satisfies x.flag and some Thing in x.made_of* satisfies x.flag
rule d
    for each Thing
    must (score of latest evidence audit on thing) > 1 or at least 2 Thing as x in thing.made_of satisfies x.flag
""")


def test_a_library_that_is_not_there_or_another_is_not_used(tmp_path):
    with pytest.raises(OSError, match="none"):
        NativeKernel(tmp_path / "none.so")
    other = tmp_path / "other.so"
    other.write_bytes(b"no library")
    with pytest.raises(OSError, match="other"):
        NativeKernel(other)


def test_the_build_compiles_and_does_without(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("hatch_build", Path(__file__).parents[2] / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    source = Path(__file__).parents[2] / build.SOURCE
    if build.compile_kernel(source, tmp_path / "kernel.so"):
        assert NativeKernel(tmp_path / "kernel.so").name == "native"
    broken = tmp_path / "broken.c"
    broken.write_text("this is not C")
    assert not build.compile_kernel(broken, tmp_path / "broken.so")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not build.compile_kernel(source, tmp_path / "again.so")
    assert sorted(p.name for p in tmp_path.iterdir()) in (["broken.c"], ["broken.c", "kernel.so"])

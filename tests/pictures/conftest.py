"""What the tests of pictures share: the command run in this process, the example bank, graphs at random."""

from hypothesis import strategies as st

from policy_reports.document import Status
from policy_reports.pictures.graph import Edge, Graph, Node, Shape
from tests.cli.conftest import bank, run

__all__ = ["bank", "graphs", "run"]

NAMES = st.text(max_size=60) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "&amp;",
        "نموذج تصنيف",
        "信用评分模型",
        "👩‍💻",
        "\u202eevil",
        "x\x00y\ud800",
        "W" * 200,
    ]
)
COUNTS = st.dictionaries(st.sampled_from(["Dataset", "Model", "<b>"]), st.integers(1, 50), max_size=2)


@st.composite
def graphs(draw: st.DrawFn, most: int = 14) -> Graph:
    """Any graph: cycles, loops, parallel edges, islands, hostile names, and sometimes a path through it."""
    ids = [f"n{number}" for number in range(draw(st.integers(1, most)))]
    nodes = tuple(
        Node(
            id=name,
            kind=draw(st.sampled_from(["System", "Model", "Dataset"])),
            name=draw(NAMES),
            shape=draw(st.sampled_from(Shape)),
            status=draw(st.none() | st.sampled_from(Status)),
            findings=draw(st.integers(0, 3)),
            hidden_dependencies=draw(COUNTS),
            hidden_dependents=draw(COUNTS),
        )
        for name in ids
    )
    one = st.sampled_from(ids)
    edges = draw(st.lists(st.builds(Edge, st.sampled_from(["uses", "trained_on", "<x>"]), one, one), max_size=30))
    path = draw(st.lists(one, max_size=6))
    return Graph(draw(NAMES), ids[0], nodes, tuple(sorted(set(edges))), (tuple(path),) if len(path) > 1 else ())

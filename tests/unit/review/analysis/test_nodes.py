"""The text that PostgreSQL writes of trees."""

from surf_data.review.analysis.nodes import Node, read


def test_fields() -> None:
    """Nodes, lists, sets, numbers, texts and empty fields are distinguished."""
    node = read('{A :b {C :d 1} :e ("x" <> y) :f (i 1 -2) :g (b 8 9) :h <> :i true :j "" :k (o 23) :l ({M} {N})}')
    assert isinstance(node, Node)
    assert node["b"].number("d") == 1
    assert node.items("e") == ["x", None, "y"]
    assert node.items("f") == [1, -2]
    assert node["g"] == frozenset({8, 9})
    assert (node["h"], node["j"], node["missing"]) == (None, "", None)
    assert (node.true("i"), node.true("h"), node.number("h"), node.items("h")) == (True, False, 0, [])
    assert node["k"] == [23]
    assert [each.kind for each in node.walk()] == ["A", "C", "M", "N"]


def test_escapes() -> None:
    """A name may hold whatever the text is made of."""
    node = read('{A :resname :odd\\ \\{name\\} :colnames ("a\\ b" "c\\\\d" "say\\ "x"") :last 1}')
    assert node["resname"] == ":odd {name}"
    assert node.items("colnames") == ["a b", "c\\d", 'say "x"']
    assert node["last"] == "1"


def test_constants() -> None:
    """The bytes of a constant follow their number."""
    node = read("({CONST :constvalue 4 [ 1 0 0 -1 ] :location -1} {CONST :constvalue <>})")
    assert [each.items("constvalue") for each in node] == [[1, 0, 0, -1], []]


def test_texts() -> None:
    """Two expressions are equal if they differ only in where and how they were written."""
    one, other, different = (
        read(f"{{F :funcformat {written} :args ({{V :varno {number} :location {place}}} {{S :set (b 1)}})}}")
        for written, number, place in ((0, 1, 7), (1, 1, 70), (0, 2, 7))
    )
    assert one.text() == other.text() != different.text()

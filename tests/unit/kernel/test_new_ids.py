"""Ids that are made here rather than by the database."""

from itertools import pairwise

from surf_data.kernel.identifiers import new_id


def test_an_id_is_a_uuid_of_version_7() -> None:
    """An id is unlike all others, of version and variant as RFC 9562 says."""
    ids = [new_id() for _ in range(100)]
    assert {(each.version, each.variant) for each in ids} == {(7, "specified in RFC 4122")}
    assert all(one != another for one, another in pairwise(ids))

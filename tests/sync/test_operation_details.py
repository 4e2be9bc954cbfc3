"""The details of a change in the history contain the values of all sides."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from pitasker_core.crontab.recording import PLAIN, Recording
from pitasker_core.sync.merge import Change, ChangeKind, Fields, Plan
from pitasker_core.sync.operation_details import pack_details, unpack_details
from pitasker_core.sync.request import SyncResult

TAG = UUID(int=1)

SIDES = st.none() | st.builds(
    Fields,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["@daily", "@hourly"]),
    st.sampled_from(["x", "y"]),
    st.booleans(),
    st.sampled_from([PLAIN, Recording(True), Recording(True, 5, True)]),
)


@given(SIDES, SIDES, SIDES)
def test_packed_changes_keep_the_values_of_all_sides(base, ours, theirs):
    change = Change(TAG, ChangeKind.CONFLICT, base, ours, theirs, None)
    result = SyncResult(Plan((change,)), None, None, {TAG: 7})
    (unpacked,) = unpack_details(pack_details(result))["conflicts"]
    assert (unpacked["task"], unpacked["tag"], unpacked["inexact"]) == (7, str(TAG), False)
    for side, fields in (("base", base), ("database", ours), ("crontab", theirs)):
        assert unpacked[side] == (fields.as_dict() if fields else None)


def test_details_of_older_versions_are_read_as_they_are():
    side = Fields("a", "@daily", "x").as_dict()
    change = {"task": 1, "tag": str(TAG), "base": None, "database": side, "crontab": None}
    details = {"pushed": [{**change, "inexact": True}], "failed": {}}
    assert unpack_details(details) == details

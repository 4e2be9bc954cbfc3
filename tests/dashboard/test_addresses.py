"""What stands in the address of a page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitasker_core.dashboard import id_ranges
from tests.helpers.examples import create
from tests.helpers.pages import said

ids = st.sets(st.integers(1, 60))


@given(ids, ids)
def test_the_tasks_of_an_import_are_those_in_its_address(imported, present):
    assert id_ranges.find(id_ranges.write(imported), present) == imported & present


def test_an_import_of_ten_thousand_entries_has_a_short_address():
    assert id_ranges.write([3, 5, *range(7, 10_000)]) == "3,5,7-9999"


@given(st.text("0123456789,- x²", max_size=12))
def test_any_text_in_the_place_of_ids_is_read(text):
    assert id_ranges.find(text, {1, 2}) <= {1, 2}


@pytest.mark.parametrize(
    ("page", "names"), [("tasks", ("task", "only")), ("runs", ("run", "task"))]
)
def test_a_page_is_drawn_whatever_number_its_address_has(open_page, environment, page, names):
    create(environment)
    app = open_page(page)
    for name in names:
        for value in (5000 * "9", 20 * "9", "-1", "²", "x"):
            app.query_params.clear()
            app.query_params[name] = value
            app.run()
            assert not app.exception
            assert said(app)

"""The report of an action is kept although Streamlit asks for another run meanwhile."""

import pytest
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException, StopException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

from pitasker_core.dashboard.uninterrupted import change, complete


class Session:
    """A session's state whose first use raises the request for another run."""

    def __init__(self, request=None):
        self.waiting = [request or RerunException(RerunData())]
        self.kept = []

    def keep(self, value):
        if self.waiting:
            raise self.waiting.pop()
        self.kept.append(value)


def test_a_report_is_finished_and_then_the_page_runs_again():
    session = Session()

    @complete
    def report():
        change(lambda: session.keep("written"))
        change(lambda: session.keep("notice"))

    with pytest.raises(RerunException):
        report()
    assert session.kept == ["written", "notice"]


def test_a_report_within_a_report_is_finished_with_it():
    session = Session()
    inner = complete(lambda: change(lambda: session.keep("inner")))

    @complete
    def outer():
        inner()
        change(lambda: session.keep("outer"))

    with pytest.raises(RerunException):
        outer()
    assert session.kept == ["inner", "outer"]


def test_outside_of_a_report_the_page_runs_again_at_once():
    session = Session()
    with pytest.raises(RerunException):
        change(lambda: session.keep("other"))
    assert session.kept == []


def test_a_closed_page_stops_at_once():
    session = Session(StopException())
    report = complete(lambda: change(lambda: session.keep("written")))
    with pytest.raises(StopException):
        report()
    assert session.kept == []

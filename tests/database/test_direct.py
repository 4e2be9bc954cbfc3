"""Statements that the driver executes keep what SQLAlchemy's statements promise."""

from dataclasses import replace

import pytest
from psycopg.pq import PipelineStatus
from sqlalchemy import event, text

from pitasker_core import database
from pitasker_core.base.errors import DatabaseError, ReadOnly
from pitasker_core.database import direct

ADD = "insert into state (crontab, key, value) values (%(crontab)s, %(key)s, '1') returning key"
KEYS = "select key from state where key like 'direct %%' order by key"


def values(session, key=""):
    return {"crontab": session.connection().info["crontab"], "key": f"direct {key}"}


def keys(environment):
    with database.session(environment) as session:
        return [key for (key,) in direct.execute(session, KEYS, {})]


def test_statements_are_sent_together_and_see_those_before_them(environment):
    modes = []

    def note(_connection, cursor, *_):
        modes.append(cursor.connection.info.pipeline_status)

    with database.session(environment) as session:
        statements = [(ADD, values(session, "a")), (KEYS, {}), (ADD, values(session, "b"))]
        event.listen(session.connection(), "before_cursor_execute", note)
        rows = direct.execute_together(session, statements)
    assert modes == 3 * [PipelineStatus.ON]
    assert rows == [[("direct a",)], [("direct a",)], [("direct b",)]]
    assert keys(environment) == ["direct a", "direct b"]


def test_nothing_of_a_transaction_is_kept_when_one_of_its_statements_fails(environment):
    def add_and_fail():
        with database.session(environment) as session:
            direct.execute(session, ADD, values(session, "a"))
            direct.execute_together(session, [(ADD, values(session, "b")), ("select no", {})])

    with pytest.raises(DatabaseError, match='column "no" does not exist'):
        add_and_fail()
    assert keys(environment) == []


def test_a_connection_that_the_server_ended_is_named_and_replaced(environment):
    def ask_when_ended():
        with database.session(environment) as session:
            ours = session.scalar(text("select pg_backend_pid()"))
            with database.administer(environment) as owner:
                owner.execute(text(f"select pg_terminate_backend({ours}, 10000)"))
            direct.execute_together(session, [(KEYS, {}), (KEYS, {})])

    with pytest.raises(DatabaseError, match="server closed the connection"):
        ask_when_ended()
    assert keys(environment) == []


def test_a_reader_cannot_write(environment):
    reader = replace(environment, read_only=True)
    with pytest.raises(ReadOnly), database.session(reader) as session:
        direct.execute(session, ADD, values(session, "a"))
    assert keys(environment) == []

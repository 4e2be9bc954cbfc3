"""Notifications are delivered by the real Apprise to real local servers."""

import json
import socket
import socketserver
import stat
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, select, text

from pitasker_core import database, tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import ExecutionError, InvalidSyntax, NotFound, ReadOnly
from pitasker_core.database import notices
from pitasker_core.database.notices import NoticeKind
from pitasker_core.database.preferences import Preferences
from pitasker_core.database.tables import NoticeRow, RunRow
from pitasker_core.notifications import (
    apprise_sender,
    channels,
    delivery,
    notice_list,
    outbox,
    rules,
    wording,
)
from pitasker_core.notifications.outbox import Waiting
from pitasker_core.notifications.rules import Rules
from pitasker_core.reports import audit
from pitasker_core.runs import pings, spool
from pitasker_core.server import background, pruning
from pitasker_core.sync import store
from tests.helpers.examples import ME, create
from tests.helpers.waiting import until

SECRET = "Sesame-open-up"
HOUR = timedelta(hours=1)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Web:
    """A server that stores the requests, and answers with `status`."""

    def __init__(self):
        self.status, self.got = 200, []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                web.got.append((self.path, body))
                self.send_response(web.status)
                self.end_headers()
                self.wfile.write(b"" if web.status == 200 else b"the hook is closed")

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        self.url = f"json://pi:{SECRET}@{self.address}/{SECRET}-hook"

    @property
    def messages(self):
        """Return the received titles and bodies."""
        bodies = [json.loads(body) for _, body in self.got]
        return [(body["title"], body["message"]) for body in bodies]


@pytest.fixture
def web():
    made = Web()
    threading.Thread(target=made.server.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


class Mail(socketserver.StreamRequestHandler):
    """A minimal mail server with one password."""

    def handle(self):
        def say(line):
            self.wfile.write(f"{line}\r\n".encode())

        say("220 here")
        for line in self.rfile:
            verb = line.decode().strip().upper()
            if verb.startswith("EHLO"):
                say("250-here")
                say("250 AUTH PLAIN")
            elif verb.startswith("AUTH"):
                say("535 5.7.8 Username and password not accepted")
            elif verb == "DATA":
                say("354 go on")
                mail = []
                while (part := self.rfile.readline()) != b".\r\n":
                    mail.append(part)
                self.server.mails.append(b"".join(mail).decode())
                say("250 taken")
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say("250 yes")


@pytest.fixture
def mail():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail) as server:
        server.mails = []
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@contextmanager
def written(environment):
    with database.session(environment) as session:
        yield session, store.own_crontab(session)


def run(environment, task, code, output=b"", at=None, ended=True):
    """Write a recorder's files of a run, and collect them."""
    environment.make_home()
    environment.spool.mkdir(exist_ok=True)
    began = (at or clock.now()).timestamp() - 2
    file = environment.spool / f"{task.id}-{int(began * 1e9)}-{4_000_000}"
    record = {"started": began, "ended": began + 1, "seconds": 1.0, "exit_code": code}
    file.with_suffix(".head").write_bytes(output)
    file.with_suffix(".json" if ended else ".start").write_text(json.dumps(record))
    spool.collect(environment)
    return file


def add(environment, kind=NoticeKind.FAILED, message="Exit code 1.", task=None, at=None):
    with written(environment) as (session, crontab_row):
        session.add(
            NoticeRow(
                crontab_row=crontab_row, kind=kind, message=message, task=task, at=at or clock.now()
            )
        )


def problem(environment):
    (notice,) = notice_list.listing(environment)
    return notice.problem


def results(environment):
    return [(notice.kind, notice.result) for notice in reversed(notice_list.listing(environment))]


# --- From the run to the message -----------------------------------------------------------------


def test_a_failure_arrives_once_with_what_a_person_needs(environment, web):
    task = create(environment)
    channels.add(environment, ME, "phone", web.url)
    run(environment, task, 127, b"\x1b[31mno such\x1b[0m file\r\n")
    spool.collect(environment)
    delivery.deliver(environment)
    delivery.deliver(environment)
    ((title, body),) = web.messages
    assert title == f"{task.name}: failed on {socket.gethostname()}"
    assert "Exit code 127: command not found." in body
    assert "no such file" in body
    assert results(environment) == [(NoticeKind.FAILED, "sent to phone")]


def test_a_run_that_is_taken_in_twice_is_told_once(environment):
    task = create(environment)
    file = run(environment, task, 1)
    file.with_suffix(".json").write_text(
        json.dumps({"started": 1.0, "ended": 2.0, "seconds": 1.0, "exit_code": 1})
    )
    spool.collect(environment)
    assert [kind for kind, _ in results(environment)] == [NoticeKind.FAILED]
    with written(environment) as (session, crontab_row):
        number = session.scalar(select(RunRow.id))
        notices.add(session, crontab_row, NoticeKind.FAILED, "Again.", task.id, number)
    assert len(results(environment)) == 1


def test_only_the_first_success_after_a_failure_is_told(environment, web):
    task = create(environment)
    channels.add(environment, ME, "phone", web.url)
    for minutes, code in enumerate([0, 1, 0, 0]):
        run(environment, task, code, at=NOON + timedelta(minutes=minutes))
        delivery.deliver(environment)
    assert [kind for kind, _ in results(environment)] == [NoticeKind.FAILED, NoticeKind.RECOVERED]
    assert [title.split(" on ")[0] for title, _ in web.messages] == [
        f"{task.name}: failed",
        f"{task.name}: works again",
    ]


def test_a_mail_arrives(environment, mail):
    url = f"mailto://127.0.0.1:{mail.server_address[1]}?mode=insecure&from=pi@example.org"
    channels.add(environment, ME, "mail", f"{url}&to=me@example.org")
    add(environment, NoticeKind.MISSED, "It should have run at 02:00.")
    assert delivery.deliver(environment) == ""
    (mail,) = mail.mails
    assert "To: me@example.org" in mail
    assert "It should have run at 02:00." in mail


def test_a_task_may_be_silent_or_choose_kinds(environment, web):
    channels.add(environment, ME, "phone", web.url)
    for kinds in (None, ["failed"], ["missed"], []):
        task = create(environment, f"Told of {kinds}")
        tasks.change(environment, ME, task.id, notify=kinds)
        run(environment, task, 1)
    delivery.deliver(environment)
    assert len(web.messages) == 2
    assert [result for _, result in results(environment)] == ["sent to phone"] * 2 + [
        "no channel for it"
    ] * 2


def test_each_channel_gets_the_kinds_that_it_wants_and_one_that_is_off_none(environment, web):
    channels.add(environment, ME, "phone", web.url, ["failed"])
    channels.add(environment, ME, "off", web.url)
    channels.change(environment, ME, "off", enabled=False)
    add(environment, NoticeKind.FAILED)
    add(environment, NoticeKind.CONFLICT)
    delivery.deliver(environment)
    assert results(environment) == [
        (NoticeKind.FAILED, "sent to phone"),
        (NoticeKind.CONFLICT, "no channel for it"),
    ]


def test_without_channels_nothing_waits(environment):
    add(environment)
    assert delivery.deliver(environment) == ""
    assert results(environment) == [(NoticeKind.FAILED, "no channel for it")]


# --- When ----------------------------------------------------------------------------------------


def test_more_of_the_same_within_the_limit_are_counted_and_told_with_the_next(environment, web):
    channels.add(environment, ME, "phone", web.url)
    for minutes in range(5):
        add(environment, at=NOON + timedelta(minutes=minutes))
        delivery.deliver(environment, NOON + timedelta(minutes=minutes))
    assert len(web.messages) == 1
    delivery.deliver(environment, NOON + timedelta(minutes=59))
    assert len(web.messages) == 1
    delivery.deliver(environment, NOON + HOUR)
    assert "Exit code 1. And 3 more times since 2026-06-01" in web.messages[1][1]
    assert len(web.messages) == 2


def test_in_quiet_hours_everything_waits_for_their_end(environment, web):
    zone = clock.system_zone()
    night = datetime(2026, 6, 1, 23, tzinfo=zone)
    channels.add(environment, ME, "phone", web.url)
    rules.change(environment, ME, quiet_from="22:00", quiet_until="07:00")
    add(environment, at=night)
    delivery.deliver(environment, night)
    delivery.deliver(environment, night + 7 * HOUR)
    assert web.messages == []
    assert results(environment) == [(NoticeKind.FAILED, "waits")]
    delivery.deliver(environment, night + 8 * HOUR)
    assert len(web.messages) == 1


def test_a_rule_that_is_lifted_lets_go_what_it_held(environment, web):
    night = datetime(2026, 6, 1, 23, tzinfo=clock.system_zone())
    channels.add(environment, ME, "phone", web.url)
    rules.change(environment, ME, quiet_from="22:00", quiet_until="07:00")
    add(environment, at=night)
    delivery.deliver(environment, night)
    rules.change(environment, ME, quiet_from="", quiet_until="")
    delivery.deliver(environment, night)
    assert len(web.messages) == 1


def test_a_digest_is_one_message_a_day(environment, web):
    task = create(environment)
    morning = datetime(2026, 6, 1, 8, tzinfo=clock.system_zone())
    channels.add(environment, ME, "phone", web.url)
    rules.change(environment, ME, digest_at="18:00")
    add(environment, task=task.id, at=morning)
    add(environment, task=task.id, at=morning + HOUR)
    add(environment, NoticeKind.SYNC_FAILED, "The crontab cannot be read.", at=morning + 2 * HOUR)
    delivery.deliver(environment, morning + 3 * HOUR)
    assert web.messages == []
    delivery.deliver(environment, morning + 10 * HOUR)
    delivery.deliver(environment, morning + 11 * HOUR)
    ((title, body),) = web.messages
    assert title == f"{socket.gethostname()}: 2 failed, 1 sync failed"
    assert f"{task.name}: failed. Exit code 1. And 1 more time." in body
    assert "The crontab: sync failed. The crontab cannot be read." in body


def test_a_recovery_tells_the_failures_that_were_held_before_it(environment, web):
    task = create(environment)
    channels.add(environment, ME, "phone", web.url)
    for minutes, kind in enumerate([NoticeKind.FAILED, NoticeKind.FAILED, NoticeKind.RECOVERED]):
        add(environment, kind, f"{kind}.", task.id, NOON + timedelta(minutes=minutes))
        delivery.deliver(environment, NOON + timedelta(minutes=minutes))
    titles = [title.split(" on ")[0] for title, _ in web.messages]
    assert titles == [f"{task.name}: failed", f"{task.name}: works again"]
    assert "recovered. Before that it failed once: failed." in web.messages[1][1]
    delivery.deliver(environment, NOON + 5 * HOUR)
    assert len(web.messages) == 2


NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("begins", "ends", "at", "until"),
    [
        ("22:00", "07:00", "2026-01-05 21:59", None),
        ("22:00", "07:00", "2026-01-05 22:00", "2026-01-06 07:00"),
        ("22:00", "07:00", "2026-01-06 06:59", "2026-01-06 07:00"),
        ("22:00", "07:00", "2026-01-06 07:00", None),
        ("12:00", "13:30", "2026-01-05 12:30", "2026-01-05 13:30"),
        ("12:00", "13:30", "2026-01-05 11:59", None),
        # The night in which the clock jumps forward is shorter.
        ("22:00", "07:00", "2026-03-07 23:00", "2026-03-08 07:00"),
    ],
)
def test_quiet_hours_go_by_the_clock_on_the_wall(begins, ends, at, until):
    quiet = Rules(quiet_from=begins, quiet_until=ends)
    now = datetime.fromisoformat(at).replace(tzinfo=NEW_YORK).astimezone(UTC)
    expected = until and datetime.fromisoformat(until).replace(tzinfo=NEW_YORK)
    assert quiet.quiet_ends(now, NEW_YORK) == expected


# --- When a server is down -----------------------------------------------------------------------


def test_a_server_that_is_down_is_asked_less_and_less_and_told_when_it_is_back(environment, web):
    web.status = 503
    channels.add(environment, ME, "phone", web.url)
    add(environment)
    now, tried = clock.now(), []
    for _ in range(60):
        if delivery.deliver(environment, now) and len(web.got) > len(tried):
            tried.append(now)
        now += timedelta(seconds=15)
    waits = [round((b - a).total_seconds()) for a, b in pairwise(tried)]
    assert waits == [30, 60, 120, 240]
    assert results(environment) == [(NoticeKind.FAILED, "not yet")]
    assert problem(environment).startswith("phone: Failed to send JSON")
    assert "error=503; the hook is closed" in problem(environment)
    web.status = 200
    assert delivery.deliver(environment, now + HOUR) == ""
    assert results(environment) == [(NoticeKind.FAILED, "sent to phone")]


def test_who_has_got_it_does_not_get_it_again_when_another_is_down(environment, web):
    channels.add(environment, ME, "phone", web.url)
    channels.add(environment, ME, "dead", f"json://127.0.0.1:{_closed_port()}")
    add(environment)
    delivery.deliver(environment)
    assert delivery.deliver(environment, clock.now() + HOUR).startswith("1 notice is not sent yet.")
    assert len(web.messages) == 1
    assert results(environment) == [(NoticeKind.FAILED, "sent to phone, not yet")]
    assert problem(environment).startswith("dead: A Connection error")
    channels.remove(environment, ME, "dead")
    assert delivery.deliver(environment) == ""


def _closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_after_a_day_of_trying_it_is_given_up_and_said(environment, monkeypatch):
    monkeypatch.setattr(delivery, "MOST_TRIES", 3)
    channels.add(environment, ME, "dead", f"json://127.0.0.1:{_closed_port()}")
    add(environment)
    now = clock.now()
    for _ in range(delivery.MOST_TRIES):
        delivery.deliver(environment, now)
        now += HOUR
    assert results(environment) == [(NoticeKind.FAILED, "given up")]
    assert problem(environment).startswith("dead: A Connection error")
    assert delivery.deliver(environment, now) == ""


def test_a_server_that_never_answers_does_not_keep_the_others(environment, web, monkeypatch):
    monkeypatch.setattr(delivery, "_CHANNEL_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        channels.add(environment, ME, "silent", f"json://127.0.0.1:{silent.getsockname()[1]}")
        channels.add(environment, ME, "phone", web.url)
        add(environment)
        assert "silent: It did not answer" in delivery.deliver(environment)
    assert len(web.messages) == 1


def test_a_dead_channel_does_not_take_the_repeat_limit_from_the_others(environment, web):
    channels.add(environment, ME, "phone", web.url)
    channels.add(environment, ME, "dead", f"json://127.0.0.1:{_closed_port()}")
    now = clock.now()
    for minute in range(4):
        add(environment, message=f"Exit code {minute}.", at=now)
        delivery.deliver(environment, now + timedelta(minutes=minute))
    assert len(web.messages) == 1
    delivery.deliver(environment, now + timedelta(minutes=61))
    assert len(web.messages) == 2
    assert "And 2 more times" in web.messages[1][1]


def test_each_channel_is_tried_again_in_its_own_time(environment, web):
    other = f"json://127.0.0.1:{_closed_port()}"
    channels.add(environment, ME, "dead", other)
    add(environment)
    now = clock.now()
    for _ in range(8):
        delivery.deliver(environment, now)
        now += HOUR
    channels.add(environment, ME, "phone", web.url)
    web.status = 503
    delivery.deliver(environment, now)
    assert len(web.got) == 1
    delivery.deliver(environment, now + timedelta(seconds=31))  # the other notice waits for an hour
    assert len(web.got) == 2


def test_a_channel_that_hangs_does_not_hold_what_comes_after(environment, web, monkeypatch):
    monkeypatch.setattr(delivery, "_ROUND_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        channels.add(environment, ME, "silent", f"json://127.0.0.1:{silent.getsockname()[1]}")
        channels.add(environment, ME, "phone", web.url)
        add(environment)
        delivery.deliver(environment)
        add(environment, NoticeKind.MISSED)
        delivery.deliver(environment)
        until(lambda: len(web.messages) == 2)
        assert {name for _, name in delivery._busy} == {"silent"}
    until(lambda: not delivery._busy)  # the server is gone
    assert problem_of_each(environment) == {"silent"}


def problem_of_each(environment):
    listed = notice_list.listing(environment)
    return {notice.problem.partition(":")[0] for notice in listed if notice.problem}


def test_nothing_due_costs_one_query_and_does_not_need_apprise(environment, monkeypatch):
    add(environment)
    delivery.deliver(environment)
    monkeypatch.setitem(sys.modules, "apprise", None)
    queries = []
    with database.connect(environment).connect() as connection:
        engine = connection.engine
    event.listen(engine, "before_cursor_execute", lambda *given: queries.append(given[2]))
    assert delivery.deliver(environment) == ""
    assert len(queries) == 1


# --- Channels and their secrets ------------------------------------------------------------------


def test_a_test_says_what_the_mail_server_answered(environment, mail):
    url = f"mailto://me:{SECRET}@127.0.0.1:{mail.server_address[1]}"
    url = f"{url}?mode=insecure&from=pi@example.org&to=me@example.org"
    channels.add(environment, ME, "mail", url)
    with pytest.raises(
        ExecutionError, match=r"535, 5.7.8 Username and password not accepted"
    ) as raised:
        delivery.test(environment, "mail")
    assert SECRET not in raised.value.user_message


def test_a_test_says_what_a_hook_answered_and_when_it_was_taken(environment, web, cli, capsys):
    channels.add(environment, ME, "hook", web.url)
    web.status = 403
    with pytest.raises(ExecutionError, match="error=403; the hook is closed"):
        delivery.test(environment, "hook")
    web.status = 200
    assert delivery.test(environment, "hook") == "A test was sent to hook."
    assert "This is a test. Nothing failed." in web.messages[-1][1]
    assert cli("notify", "test") == 0
    assert capsys.readouterr().out == "A test was sent to hook.\n"
    web.status = 500
    assert cli("notify", "test", "hook") == 3
    assert "error=500" in capsys.readouterr().err


def test_no_secret_of_a_channel_is_anywhere_but_in_its_file(environment, caplog, capfd):
    caplog.set_level("DEBUG", "pitasker_core")
    url = f"json://pi:{SECRET}@127.0.0.1:{_closed_port()}/{SECRET}-hook?+X-Key={SECRET}"
    channels.add(environment, ME, "phone", url)
    channels.change(environment, ME, "phone", kinds=["failed"])
    with pytest.raises(InvalidSyntax) as refused:
        channels.add(environment, ME, "wrong", f"nosuch://pi:{SECRET}@127.0.0.1/{SECRET}")
    with pytest.raises(ExecutionError) as failed:
        delivery.test(environment, "phone")
    add(environment)
    delivery.deliver(environment)
    with database.session(environment) as session:
        rows = [
            session.scalars(text(f"select t::text from {table} t")).all()
            for table in ("notices", "events", "settings", "state", "sync_operations")
        ]
    logged = [
        record.getMessage() for record in caplog.records if record.name.startswith("pitasker_core")
    ]
    assert "A notice was not sent" in logged[-1]
    printed = [*logged, *capfd.readouterr()]
    errors = [refused.value.user_message, failed.value.user_message]
    assert SECRET not in f"{rows} {printed} {errors} {channels.listing(environment)}"
    files = [file for file in environment.home.rglob("*") if file.is_file()]
    assert [file.name for file in files if SECRET in file.read_text(errors="replace")] == [
        channels.FILE_NAME
    ]
    assert stat.S_IMODE((environment.home / channels.FILE_NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(environment.home.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"ntfy://{SECRET}", "ntfys://S…p/…"),
        (f"ntfy://me:{SECRET}@nas/topic", "ntfy://me:****@nas/…"),
        (f"jsons://hooks.example.org/{SECRET}?-key={SECRET}", "jsons://hooks.example.org/…"),
        (f"mailtos://me:{SECRET}@gmail.com", "mailtos://me:****@gmail.com/…"),
        (f"discord://4174216298/{SECRET}-5cEu8Hq2PzMn", "discord://4...8/…"),
        (f"tgram://123456789:{SECRET}-abcdefghijklmnopqrstu/12315544", "tgram://1...u/…"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url, shown):
    assert apprise_sender.masked(url) == shown


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("failed with url: /botS3cret-key/x", "tgram://S3cret-key/1"),
        ("login p@ss/word refused", "mailto://me:p%40ss%2Fword@example.org"),
    ],
)
def test_what_a_server_says_is_kept_without_secrets(text, url):
    assert "****" in apprise_sender.redacted(text, url, None)
    assert "S3cret" not in apprise_sender.redacted(text, url, None)


def test_a_bug_in_a_plugin_is_a_refusal_without_secrets(monkeypatch):
    url = "json://pi:S3cret@example.org"
    plugin = apprise_sender.service(url)
    monkeypatch.setattr(plugin, "notify", lambda **_: {}["S3cret"])
    assert apprise_sender.send(plugin, url, "title", "body", None) == "KeyError: '****'"


def test_a_channel_that_cannot_be_is_refused(environment):
    channels.add(environment, ME, "phone", "json://127.0.0.1")
    for name, url, words in (
        ("", "json://127.0.0.1", "needs a name"),
        ("phone", "json://127.0.0.1", "There is a channel “phone” already"),
        ("other", "just text", "it has no `://`"),
        ("other", "nosuch://example.org", "Apprise does not accept this nosuch:// URL"),
        ("other", "tgram://short", "Apprise does not accept this tgram:// URL"),
    ):
        with pytest.raises(InvalidSyntax, match=words):
            channels.add(environment, ME, name, url)
    assert [channel.name for channel in channels.listing(environment)] == ["phone"]


def test_channels_are_changed_removed_and_put_back_with_an_event_each(environment):
    channels.add(environment, ME, "phone", "json://127.0.0.1")
    channels.change(environment, ME, "phone", new_name="my phone", kinds=["failed"], enabled=False)
    before = channels.listing(environment)
    channels.put_back(environment, ME, channels.remove(environment, ME, "my phone"))
    assert channels.listing(environment) == before
    with pytest.raises(InvalidSyntax, match="at least one kind"):
        channels.change(environment, ME, "my phone", kinds=[])
    with pytest.raises(NotFound):
        channels.remove(environment, ME, "phone")
    events = audit.listing(environment, 10)[::-1]
    assert audit.difference(events[1]) == (
        "phone name phone → my phone, "
        "phone kinds failed, recovered, missed, conflict, sync failed, finding → failed, "
        "phone enabled yes → no"
    )
    kinds = [event.kind for event in events]
    assert kinds == [
        "channel added",
        "channel changed",
        "channel removed",
        "channel added",
        "channel changed",
    ]


def test_who_may_only_look_changes_and_sends_nothing(environment):
    channels.add(environment, ME, "phone", "json://127.0.0.1")
    looking = replace(environment, read_only=True)
    for attempt in (
        lambda: channels.add(looking, ME, "mine", "json://127.0.0.1"),
        lambda: channels.remove(looking, ME, "phone"),
        lambda: delivery.test(looking, "phone"),
        lambda: rules.change(looking, ME, repeat_minutes=1),
    ):
        with pytest.raises(ReadOnly):
            attempt()
    assert [channel.name for channel in channels.listing(looking)] == ["phone"]


# --- Rules and words -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"repeat_minutes": -1}, "must be 0 to 10080"),
        ({"quiet_from": "22:00"}, "both a beginning and an end"),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "same time"),
        ({"digest_at": "25:00"}, "not a time of day"),
        ({"quiet_from": "22:00", "quiet_until": "7:00", "digest_at": "6:00"}, "in the quiet hours"),
        ({"title": "{nonsense}"}, "no placeholder {nonsense}"),
        ({"body": "{task.__class__}"}, "no placeholder {task.__class__}"),
        ({"body": "{task!r}"}, "no placeholder {task!r}"),
        ({"body": "{task:>99}"}, "no placeholder {task:>99}"),
        ({"body": "{}"}, "no placeholder {}"),
        ({"body": "{task"}, "braces do not match"),
        ({"title": "two\nlines"}, "one line"),
    ],
)  # fmt: skip
def test_rules_that_cannot_be_are_refused_with_a_sentence(fields, words):
    with pytest.raises(InvalidSyntax) as refused:
        rules.check(Rules(**fields))
    assert words in refused.value.user_message


def test_refused_rules_change_nothing_and_others_are_an_event(environment):
    with pytest.raises(InvalidSyntax):
        rules.change(environment, ME, repeat_minutes=5, body="{nonsense}")
    assert rules.read(environment) == Rules()
    assert rules.change(environment, ME, repeat_minutes=5) == rules.read(environment)
    (event,) = audit.listing(environment, 10)
    assert audit.difference(event) == "repeat minutes 60 → 5"


def test_words_of_ones_own_are_used_and_braces_can_be_written(environment, web):
    channels.add(environment, ME, "phone", web.url)
    rules.change(environment, ME, title="{{{kind}}}", body="{message}")
    add(environment, message="{task} is no placeholder here.")
    delivery.deliver(environment)
    assert web.messages == [("{failed}", "{task} is no placeholder here.")]


def test_output_reads_as_on_a_terminal_and_only_its_end_is_told():
    output = (
        b"".join(b"line %d\r\n" % number for number in range(99)) + b"10%\r50%\r\x1b[1mdone\x1b[0m"
    )
    assert wording.last_lines(output).endswith("line 98\ndone")
    assert wording.last_lines(output).startswith("line 85\n")
    assert wording.last_lines(b"\xff\x00" * 99_999)
    assert wording.last_lines(None) == ""


def test_what_was_tried_and_what_is_new_wait_together():
    def notice(id_, **values):
        fields = {
            "at": NOON,
            "kind": NoticeKind.FAILED,
            "task": 1,
            "task_name": "x",
            "task_kinds": None,
        }
        fields |= {"message": "", "run": None, "tries": 0, "next_try": None}
        return Waiting(id_, **{**fields, **values})

    later = NOON + HOUR
    result = outbox.sort(
        [notice(1, tries=5, next_try=later), notice(2)], Rules(), {}, NOON, NEW_YORK
    )
    assert result.messages == []
    assert result.held == {1: later, 2: later}


# --- What the background has to tell -------------------------------------------------------------


def test_a_conflict_is_told_once_however_often_it_is_found(environment, crontab):
    task = create(environment)
    away = replace(environment, crontab_program="/nonexistent")
    tasks.change(away, ME, task.id, command="/ours")
    crontab.write(crontab.read().replace(b"0 2 * * *", b"7 7 * * *"))
    work = background.Background(environment)
    work._sync()
    work._sync()
    (notice,) = notice_list.listing(environment)
    assert (notice.kind, notice.task) == (NoticeKind.CONFLICT, task.id)
    assert f"in the crontab: {task.name}. Resolve this under Sync" in notice.message
    crontab.write(crontab.read().replace(b"7 7 * * *", b"8 8 * * *"))
    work._sync()
    assert len(notice_list.listing(environment)) == 2


def test_a_sync_that_fails_is_told_when_that_is_news(environment, crontab):
    create(environment)
    crontab.remove()
    work = background.Background(environment)
    work._leads.set()
    work._scheduler.start(paused=True)
    for _ in range(3):
        work._run("sync", work._sync)
    work._scheduler.shutdown()
    (notice,) = notice_list.listing(environment)
    assert notice.kind is NoticeKind.SYNC_FAILED
    assert "1 of 1 managed entries are gone" in notice.message


def test_old_notices_are_pruned_and_what_waits_is_kept(environment):
    add(environment)
    delivery.deliver(environment, clock.now() - timedelta(days=40))
    add(environment, NoticeKind.MISSED)
    pruning.prune(environment, Preferences(keep_operations_days=30))
    assert [kind for kind, _ in results(environment)] == [NoticeKind.MISSED]


# --- Ping URLs -----------------------------------------------------------------------------------


def test_a_ping_url_is_called_at_start_success_and_failure_once_each(environment, web):
    task = create(environment)
    tasks.change(environment, ME, task.id, ping_url=f"http://{web.address}/abc?rid=7")
    run(environment, task, 0)
    pings.send(environment)
    run(environment, task, 1)
    pings.send(environment)
    pings.send(environment)
    assert [path for path, _ in web.got] == [
        "/abc/start?rid=7",
        "/abc?rid=7",
        "/abc/start?rid=7",
        "/abc/fail?rid=7",
    ]


def test_a_monitor_that_is_down_is_asked_again_until_it_is_too_late(environment, web):
    task = create(environment)
    tasks.change(environment, ME, task.id, ping_url=f"http://{web.address}/abc")
    web.status = 500
    run(environment, task, 0)
    assert pings.send(environment) == 0
    web.status = 200
    assert pings.send(environment) == 1
    assert [path for path, _ in web.got] == ["/abc/start", "/abc"]
    web.status = 500
    run(environment, task, 0)
    pings.send(environment)
    web.status = 200
    assert pings.send(environment, clock.now() + pings.TOO_LATE) == 0
    assert pings.send(environment) == 0


def test_other_urls_are_not_called_and_unknown_kinds_not_wanted(environment):
    task = create(environment)
    for url in ("ftp://x/y", "file:///etc/passwd", "http://", "http://a b", "x"):
        with pytest.raises(InvalidSyntax, match="begins with http"):
            tasks.change(environment, ME, task.id, ping_url=url)
    with pytest.raises(InvalidSyntax, match="begins with http"):
        tasks.create(environment, ME, tasks.NewTask("New", "@daily", "true", ping_url="ftp://x/y"))
    with pytest.raises(InvalidSyntax, match="no kind of notice “never”"):
        tasks.change(environment, ME, task.id, notify=["never"])

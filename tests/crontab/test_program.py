"""How PiTasker waits for `crontab`."""

import os
import time

import pytest

from pitasker_core.base.errors import CrontabUnavailable
from pitasker_core.crontab.program import CrontabProgram

CLOSES = "exec >&- 2>&-; "


@pytest.mark.parametrize("first", ["", CLOSES])
def test_a_program_that_hangs_is_ended_after_the_time_limit(fake_crontab, tmp_path, first):
    script = f'#!/bin/sh\necho $$ > "{tmp_path}/pid"\n{first}exec sleep 60\n'
    program = CrontabProgram(str(fake_crontab(script)), time_limit=0.3)
    with pytest.raises(CrontabUnavailable, match="did not answer within"):
        program.read()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_end_of_a_program_is_noticed_without_looking_again_and_again(fake_crontab, monkeypatch):
    script = f"#!/bin/sh\necho '0 5 * * * /bin/true'\n{CLOSES}sleep 0.1\n"
    program = CrontabProgram(str(fake_crontab(script)))
    monkeypatch.setattr(time, "sleep", None)
    assert program.read() == "0 5 * * * /bin/true\n"


def test_a_crontab_is_read_where_processes_have_no_handles(fake_crontab, monkeypatch):
    def refuse(_pid):
        raise PermissionError

    monkeypatch.setattr(os, "pidfd_open", refuse)
    script = f"#!/bin/sh\necho '0 5 * * * /bin/true'\n{CLOSES}sleep 0.1\n"
    assert CrontabProgram(str(fake_crontab(script))).read() == "0 5 * * * /bin/true\n"

"""What goes to the log files."""

import errno
import logging

from pitasker_core.base import log
from pitasker_core.base.environment import Environment


def test_a_full_disk_prints_no_traceback_for_a_record(tmp_path, monkeypatch, capsys):
    logger = logging.Logger("pitasker_core")  # not the one of this process
    monkeypatch.setitem(logging.root.manager.loggerDict, "pitasker_core", logger)
    log.start(Environment.from_environment({"PITASKER_HOME": str(tmp_path)}), terminal=False)
    for file in logger.handlers:
        monkeypatch.setattr(file, "do_write", refuse)
    logger.error("an error")
    assert len(logger.handlers) == 2
    assert capsys.readouterr() == ("", "")
    for file in logger.handlers:
        file.close()


def refuse(_text):
    raise OSError(errno.ENOSPC, "No space left on device")

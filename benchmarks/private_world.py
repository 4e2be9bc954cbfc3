"""Where benchmarks run: a crontab spool of their own."""

import os
import sys


def isolate() -> None:
    """Start again in a mount namespace whose crontab spool is empty and ours alone."""
    if os.environ.get("PITASKER_BENCHMARK") == "isolated":
        return
    namespace = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "-Urm"]
    inside = 'mount -t tmpfs -o mode=1730 none /var/spool/cron/crontabs && exec "$@"'
    python = [sys.executable, *sys.argv]
    os.environ["PITASKER_BENCHMARK"] = "isolated"
    os.execvp("unshare", [*namespace, "sh", "-c", inside, "sh", *python])

from pitasker_core.crontab.document.parsing import *  # noqa: F403

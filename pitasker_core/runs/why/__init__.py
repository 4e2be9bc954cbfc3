"""Why did it not run?

`circumstances` finds out the facts, the modules of checks judge them, each a group of causes, and
`judgement` draws the conclusion. All but the first are pure.
"""

from pitasker_core.runs.why.answer import Answer, Check, Verdict
from pitasker_core.runs.why.rules import judge

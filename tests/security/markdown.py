"""Streamlit's Markdown as markdown-it reads it: CommonMark, GitHub's extensions, directives,
formulas, and what Streamlit 1.67 does with each piece of text afterwards."""

import re

from markdown_it import MarkdownIt

AFTER_PARSING = (
    # mdast-util-gfm-autolink-literal 2.0.1, which looks into every text
    re.compile(r"(https?://|www(?=\.))([-.\w]+)([^ \t\r\n]*)", re.IGNORECASE),
    re.compile(r"(?:^|(?<=[\s\W]))([-.\w+]+)@([-\w]+(?:\.[-\w]+)+)"),
    re.compile(r":\+1:|:-1:|:(?!\d\d:)[\w-]+:"),  # remark-emoji 5.0.2
    re.compile(r":material_(\w+):|:streamlit:"),
    re.compile(r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)"),
)
"""Parts of parsed text that Streamlit replaces."""


def _directive(state, silent):
    """`:name[label]{attributes}`; label and attributes may be missing (remark-directive 3)."""
    name = re.compile(r":([A-Za-z][\w-]*)").match(state.src, state.pos)
    if not name or re.search(r"(?<!\\)(?:\\\\)*:$", state.src[: state.pos]):
        return False
    label, end = "", name.end()
    if state.src[end : end + 1] == "[":
        depth, at = 0, end
        while at < len(state.src):
            if state.src[at] == "\\":
                at += 1
            elif state.src[at] in "[]":
                depth += 1 if state.src[at] == "[" else -1
                if depth == 0:
                    break
            at += 1
        if depth == 0:
            label, end = state.src[end + 1 : at], at + 1
    attributes = re.compile(r"\{[^}]*\}").match(state.src, end)
    if not silent:
        token = state.push("directive", "", 0)
        token.info = name[1] + (attributes[0] if attributes else "")
        token.children = []
        state.md.inline.parse(label, state.md, state.env, token.children)
    state.pos = attributes.end() if attributes else end
    return True


def _formula(state, silent):
    if state.src[state.pos] != "$":
        return False
    if not silent:
        state.push("formula", "", 0).content = "$"
    state.pos += 1
    return True


PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
PARSER.inline.ruler.before("escape", "directive", _directive)
PARSER.inline.ruler.before("escape", "formula", _formula)


def drawn(source):
    """Return the kinds of elements that are not plain text, and the pieces of text."""
    kinds, texts = set(), [""]

    def walk(tokens):
        for token in tokens:
            if token.type == "inline" or (token.type == "directive" and token.info == "color{}"):
                texts.append("")
                walk(token.children)
                texts.append("")
            elif token.type in ("text", "text_special"):
                texts[-1] += token.content
            elif token.type in ("hardbreak", "softbreak"):
                texts.append("\n")
                texts.append("")
            elif token.type in ("code_inline", "code_block", "fence"):
                kinds.add(token.type)
                texts.extend([f"\0{token.content}", ""])
            else:
                kinds.add(token.type)
                walk(token.children or [])

    walk(PARSER.parse(source.replace(":material/", ":material_")))
    return kinds - {"paragraph_open", "paragraph_close"}, texts


def text_of(texts):
    return "".join(texts).replace("\0", "")


def becomes_something(texts):
    """Return the pieces of text that Streamlit replaces after parsing."""
    return [t for t in texts if not t.startswith("\0") and any(r.search(t) for r in AFTER_PARSING)]

"""Small HTML pages that work without Streamlit: sign-in, sign-out and refusals."""

import html
from collections.abc import Mapping

from starlette.responses import HTMLResponse

from pitasker_core.base.text import Code, Text, visible


def respond(
    title: str,
    problem: str = "",
    advice: str = "",
    content: str = "",
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page with an optional problem and advice above `content`, which is trusted HTML."""
    alert = f'<p class="problem">{_inert(problem)}</p>' if problem else ""
    alert += f"<p>{_inert(advice)}</p>" if advice else ""
    alert = f'<div role="alert">{alert}</div>' if alert else ""
    page = _HTML.replace("{title}", html.escape(title)).replace("{content}", alert + content)
    return HTMLResponse(page, status, {"cache-control": "no-store", **(headers or {})})


def _inert(text: str) -> str:
    """A text as inert HTML, with its `Code` parts as code."""
    parts = text.parts if isinstance(text, Text) else (text,)
    escaped = [(html.escape(visible(part)), isinstance(part, Code)) for part in parts]
    return "".join(f"<code>{part}</code>" if is_code else part for part, is_code in escaped)


_HTML = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  :root { color-scheme: light dark; --accent: #2e7d6b; }
  body { font: 16px/1.5 system-ui, sans-serif; margin: 0; display: grid; place-items: center;
         min-height: 100vh; background: light-dark(#fafafa, #181715);
         color: light-dark(#222, #eee); }
  main { width: min(22rem, calc(100vw - 3rem)); }
  h1 { font-size: 1.6rem; margin: 0 0 1rem; }
  label { display: block; font-weight: 600; }
  input, button { box-sizing: border-box; width: 100%; font: inherit; padding: .6rem .8rem;
         border-radius: .5rem; margin-top: .4rem; }
  input { border: 1px solid light-dark(#bbb, #555); background: light-dark(#fff, #222);
          color: inherit; }
  button { border: 0; background: var(--accent); color: #fff; font-weight: 600; cursor: pointer;
           margin-top: .8rem; }
  .problem { color: light-dark(#a02818, #ff9d8d); }
  p { overflow-wrap: anywhere; }
  .hint { font-size: .85rem; opacity: .75; }
</style>
</head>
<body><main><h1>PiTasker</h1>{content}</main></body>
</html>
"""

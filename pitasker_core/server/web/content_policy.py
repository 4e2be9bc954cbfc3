"""The header Content-Security-Policy of our pages (CSP level 3)."""

import re
from base64 import b64encode
from hashlib import sha256

_POLICY = {
    "default-src": "'self'",
    # Streamlit's own files. Streamlit loads the raw editor's script as a `blob:`.
    "script-src": "'self' blob:",
    # Streamlit's scripts write `style` elements and attributes.
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}

_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def header(page: bytes = b"") -> bytes:
    """The policy, which also allows the inline scripts of a page.

    Only for a page that contains no text from outside.
    """
    scripts = [b64encode(sha256(text).digest()).decode() for text in _INLINE_SCRIPT.findall(page)]
    allowed = "".join(f" 'sha256-{digest}'" for digest in scripts)
    policy = {**_POLICY, "script-src": _POLICY["script-src"] + allowed}
    return "; ".join(f"{name} {sources}" for name, sources in policy.items()).encode()

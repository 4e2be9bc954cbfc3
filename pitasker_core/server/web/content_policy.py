"""What our pages may load and reach: the header Content-Security-Policy (CSP level 3)."""

import re
from base64 import b64encode
from hashlib import sha256

_POLICY = {
    "default-src": "'self'",
    # Streamlit's own files. The raw editor's script comes as a `blob:` that Streamlit's own make.
    "script-src": "'self' blob:",
    # Streamlit's styles are written by its scripts, into `style` elements and attributes.
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
    """The policy, with the scripts that are written in a page: only for one that holds no text from
    outside."""
    scripts = [b64encode(sha256(text).digest()).decode() for text in _INLINE_SCRIPT.findall(page)]
    allowed = "".join(f" 'sha256-{digest}'" for digest in scripts)
    policy = {**_POLICY, "script-src": _POLICY["script-src"] + allowed}
    return "; ".join(f"{name} {sources}" for name, sources in policy.items()).encode()

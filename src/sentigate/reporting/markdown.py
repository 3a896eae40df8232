"""Text of others inside Markdown."""

from __future__ import annotations

import html
import re


def safe(value: object) -> str:
    """Any text as one line, escaped for Markdown and HTML, that mentions no user or issue."""
    text = re.sub("[@#]", "\\g<0>\u200b", " ".join(str(value).split()))
    return re.sub(r"[\\`*_\[\]|~$]", lambda found: f"&#{ord(found[0])};", html.escape(text))

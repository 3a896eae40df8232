"""Escape foreign text for Markdown."""

from __future__ import annotations

import html
import re


def safe(value: object) -> str:
    """Return one line, escaped for Markdown and HTML, without mentions and issue links."""
    text = re.sub("[@#]", "\\g<0>\u200b", " ".join(str(value).split()))
    return re.sub(r"[\\`*_\[\]|~$]", lambda found: f"&#{ord(found[0])};", html.escape(text))

"""The frame of every HTML page of the report: one look in light and dark, nothing loaded from elsewhere."""

import html
from pathlib import Path

HERE = Path(__file__).parent


def asset(name: str) -> str:
    """The text of a style sheet or script that is written into pages."""
    return (HERE / name).read_text(encoding="utf-8")


def page(title: str, body: str, style: str = "") -> str:
    """A whole HTML document around ``body`` (trusted markup), with the shared style and ``style`` after it."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{asset('page.css')}{style}</style>\n</head>\n<body>\n"
        f"{body}</body>\n</html>\n"
    )

"""Checks a page as Chromium shows it: python page.py REPORT SCRATCH, called by page.sh"""

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlparse

report, scratch = map(Path, sys.argv[1:])


class Page(HTMLParser):
    """Collects what a page refers to, and its identifiers."""

    def __init__(self):
        super().__init__()
        self.loads, self.links, self.ids, self.count, self.text = [], [], [], {}, []

    def handle_starttag(self, tag, attributes):
        self.count[tag] = self.count.get(tag, 0) + 1
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            elif name in ("src", "srcset", "data", "poster", "xlink:href") or (
                name == "href" and tag in ("link", "image", "use")
            ):
                self.loads.append(value)
            elif name == "href":
                self.links.append(value)

    def handle_data(self, data):
        self.text.append(data)


for scheme in ("light", "dark"):
    html = (scratch / f"{scheme}.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(html)
    # Everything is inside.
    outside = [load for load in page.loads if not load.startswith(("data:", "#"))]
    outside += [url for url in re.findall(r"url\(([^)]*)\)", html) if not url.strip("'\"").startswith(("data:", "#"))]
    assert not outside and "@import" not in html, f"the page loads {outside}"
    # Links inside the page and to the files beside it lead somewhere.
    for link in page.links:
        parts = urlparse(link)
        if parts.scheme in ("http", "https"):
            continue
        if parts.path:
            assert (report / unquote(parts.path)).exists(), f"{link} leads nowhere"
        elif parts.fragment:
            assert parts.fragment in page.ids, f"{link} leads nowhere"
    assert len(page.ids) == len(set(page.ids)), "two elements have the same id"
    figures = sorted(path.stem for path in (report / "figures").glob("*.svg"))
    assert figures and page.count.get("svg", 0) >= len(figures), f"{page.count} for {figures}"
    for figure in figures:
        assert f"figure-{figure}" in page.ids, f"the figure {figure} is not on the page"
        png = (report / "figures" / f"{figure}.png").read_bytes()
        assert png.startswith(b"\x89PNG\r\n\x1a\n") and png.endswith(b"IEND\xaeB`\x82"), figure
    tables = sorted(path.stem for path in (report / "tables").glob("*.csv"))
    assert tables and page.count.get("table", 0) >= len(tables), f"{page.count} for {tables}"
    words = " ".join(page.text)
    for wrong in ("NaN", "undefined", "{{", "{%", "Infinity"):
        assert wrong not in words, f"the page says {wrong}"

    # Chromium's own account of the requests that the page made, as opposed to the browser itself.
    log = json.loads((scratch / f"{scheme}.json").read_text())
    requests = [event["params"] for event in log["events"] if "initiator" in event.get("params", {})]
    asked = {r["url"] for r in requests if r["initiator"] != "not an origin"}
    asked = sorted(url for url in asked if not url.startswith(("file:", "data:", "blob:")))
    assert not asked, f"requests to {asked}"
    print(f"{scheme}: {len(figures)} figures, {len(tables)} tables, no console message, no request")

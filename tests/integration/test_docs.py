# SPDX-License-Identifier: Apache-2.0
"""What the pages say of the sources, and where they point."""
import re

from weir import ROOT, equal

FIELD = re.compile(r'^FIELD\((\w+),\s*(\w+),\s*(\d+),\s*(\w+),\s*"([^"]*)",\s*"([^"]*)"\)', re.M)
PENS = {"0": "", "29305": "29305/", "PEN_WEIR": "32473/"}


def every_field_is_on_its_page(t):
    fields = FIELD.findall((ROOT / "lib/record/fields.def").read_text())
    assert len(fields) > 40, len(fields)
    page = (ROOT / "docs/FIELDS.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \| (.*) \|$", page, re.M)
    equal("rows", rows, [(json, "–" if ie == "0" else PENS[pen] + ie, text) for _, _, ie, pen, json, text in fields])
    own = re.findall(r'^WEIR\((\d+),.*"(\w+)"\)', (ROOT / "lib/ipfix/elements.def").read_text(), re.M)
    for ie, name in own:
        assert f"32473/{ie}" in page, name


def links_lead_somewhere(t):
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("dpdk-config/*.md")]
    for page in pages:
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            path = link.split("#")[0]
            if path and not re.match(r"[a-z]+:", path):
                assert (page.parent / path).exists(), f"{page.name} points to {link}"

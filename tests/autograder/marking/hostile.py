"""What a learner may put into outputs and markdown to have it run, and how to see in a page that it would."""

from __future__ import annotations

import base64
import html
import re
from html.parser import HTMLParser

PNG = base64.b64encode(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
).decode()
GIF = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
# Each runs something in a page that takes it as it is: from the attacks on this course, and from OWASP's and
# html5sec's collections.
MARKUP = (
    "<script>ran()</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=ran()>",
    "<img src=x onerror='ran()' alt=\"a\"><b>x</b>",
    "<svg onload=ran()><script>ran()</script></svg>",
    "<svg><a xlink:href='javascript:ran()'><text y=9>x</text></a></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=ran()></style></mglyph></table></mtext></math>",
    "<noscript><p title='</noscript><img src=x onerror=ran()>'></noscript>",
    "<iframe srcdoc='<script>parent.ran()</script>'></iframe>",
    "<object data='data:text/html,<script>ran()</script>'></object>",
    "<embed src='javascript:ran()'>",
    "<form action='javascript:ran()'><input type=submit><button formaction='javascript:ran()'>y</button></form>",
    "<a href='javascript:ran()'>x</a>",
    "<a href=' java&#10;script&colon;ran()'>x</a>",
    "<a href='&#106;&#97;vascript:ran()'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD5yYW4oKTwvc2NyaXB0Pg=='>x</a>",
    "<a href='vbscript:ran()'>x</a>",
    "<base href='//evil.example/'>",
    "<meta http-equiv=refresh content='0;url=javascript:ran()'>",
    "<link rel=stylesheet href='//evil.example/x.css'>",
    "<style>@import '//evil.example/x.css';</style>",
    "<div style='background:url(javascript:ran());position:fixed;top:0;left:0;width:100%;height:100%'>x</div>",
    "<div onmouseover=ran() onfocus=ran() tabindex=1 autofocus>x</div>",
    "<details open ontoggle=ran()><summary>x</summary></details>",
    "<video><source onerror=ran()></video><audio src=x onerror=ran()>",
    "<body onload=ran()><html onclick=ran()>",
    "<template><script>ran()</script></template><textarea><script>ran()</script></textarea>",
    "<xmp><img src=x onerror=ran()></xmp><plaintext><script>ran()</script>",
    "<!--><img src=x onerror=ran()>--><![CDATA[<script>ran()</script>]]>",
    "<script type='text/x-mathjax-config'>ran()</script>",
    '<p title="a\'><script>ran()</script>">x</p>',
    "<b a='b><script>ran()</script>",
    "<<script>ran()//<</script>",
    "<img src='data:image/svg+xml,<svg onload=ran()>'>",
    "<a data-toggle=tooltip data-html=true title='<img src=x onerror=ran()>'>x</a>",
    "<input id=why_two_projections class=score value=20>",
    "</pre></div></body></html><script>ran()</script>",
)
LINKS = (
    "[x](javascript:ran())",
    "[x](JaVaScRiPt&#58;ran())",
    "[x](<javascript:ran()>)",
    "[x]( \x01javascript:ran())",
    "[x][y]\n\n[y]: javascript:ran()",
    "![x](javascript:ran())",
    "[x](data:text/html;base64,PHNjcmlwdD5yYW4oKTwvc2NyaXB0Pg==)",
    "<javascript:ran()>",
    "[x](vbscript:ran())",
    '![x](y "a\\" onerror=\\"ran()")',
    '![x" onerror="ran()](y)',
    "```mermaid\n<script>ran()</script>\n```",
    "$\\href{javascript:ran()}{x}$ $$<img src=x onerror=ran()>$$",
    "# <img src=x onerror=ran()>",
    "| a |\n|---|\n| <img src=x onerror=ran()> |",
    "![x](attachment:none)",
)
# Metadata that nbconvert writes into a tag as it is.
SIZES = ("1 onerror=ran()", '1"><script>ran()</script>', {"a": 1}, [1], True, -1, 10**30, float("inf"), None)

# What formgrader tells a template of a submission.
ASKED = {
    "assignment_id": "u", "notebook_id": "u", "submission_id": "s", "notebook_path": "x", "index": 0, "total": 1,
    "base_url": "", "student": "ada", "last_name": "", "first_name": "",
}  # fmt: skip

_FORBIDDEN = frozenset(
    "script iframe object embed svg style link meta base form input button textarea select template noscript"
    " frame frameset applet xmp plaintext video audio source".split()
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")
_SPACES = re.compile(r"[\x00-\x20\x7f-\xa0]")


class _Looker(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.scripts: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.scripts.append(dict(attrs))
        if tag in _FORBIDDEN:
            self.found.append(f"<{tag}>")
        if tag == "math" and [name for name, _ in attrs] != ["display"]:
            # Not the one that a formula is made into.
            self.found.append("<math>")
        for name, value in attrs:
            address = _SPACES.sub("", html.unescape(value or "")).lower()
            if name.startswith("on") or name in ("srcdoc", "formaction", "action", "data-html", "http-equiv"):
                self.found.append(f"{name}={value}")
            elif name in ("href", "src", "xlink:href", "data", "poster", "background") and _SCHEME.match(address):
                picture = re.match(r"data:image/(png|jpeg|gif|svg\+xml);base64,", address)
                if not address.startswith(("http:", "https:", "mailto:")) and not (tag == "img" and picture):
                    self.found.append(f"{name}={value}")
            elif name == "style" and re.search(r"url|expression|position|@import", address):
                self.found.append(f"{name}={value}")


def dangers(text: str) -> list[str]:
    """Return what in a piece of HTML runs, leads to what runs, or covers the page."""
    looker = _Looker()
    looker.feed(text)
    looker.close()
    return looker.found


def scripts(page: str) -> list[dict[str, str | None]]:
    """Return the attributes of each script of a page."""
    looker = _Looker()
    looker.feed(page)
    looker.close()
    return looker.scripts

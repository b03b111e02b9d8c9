"""Diagrams: a fenced block `mermaid` is drawn by the copy of mermaid.js that the site has."""

from __future__ import annotations

import html
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform


class DrawDiagrams(SphinxPostTransform):
    """Puts diagrams where the parser left blocks of code."""

    default_priority = 100
    formats = ("html",)

    def run(self, **_: Any) -> None:
        for block in list(self.document.findall(nodes.literal_block)):
            if block.get("language") == "mermaid":
                text = html.escape(block.astext())
                drawn = f'<pre class="mermaid">{text}</pre>\n'
                block.replace_self(nodes.raw("", drawn, format="html"))


def _add_script(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: object
) -> None:
    """Only pages with a diagram load the script, which is large."""
    if 'class="mermaid"' in context.get("body", ""):
        app.add_js_file("mermaid.min.js", loading_method="defer")
        app.add_js_file("diagrams.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_post_transform(DrawDiagrams)
    app.connect("html-page-context", _add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""`python -m docs.site MERMAID`: build the site into `build/docs`, with the given copy of mermaid.js.

`python -m docs.site --stage FOLDER` lays out the sources and the twins only, which needs no Sphinx.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from docs.site.sections import ROOT
from docs.site.staging import stage, write_twins

HERE = Path(__file__).parent
BUILD = ROOT / "build/docs"


def main(arguments: list[str]) -> int:
    """The exit code."""
    if arguments[:1] == ["--stage"] and len(arguments) == 2:
        folder = Path(arguments[1])
        write_twins(folder / "twins", stage(folder / "sources"))
        return 0
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    return build(Path(arguments[0]))


def build(mermaid: Path) -> int:
    """Build the whole site anew. A warning is an error."""
    from sphinx.cmd.build import main as sphinx

    shutil.rmtree(BUILD, ignore_errors=True)
    sources, site = BUILD / "sources", BUILD / "html"
    twins = stage(sources)
    shutil.copytree(HERE / "static", sources / "_static")
    shutil.copyfile(mermaid, sources / "_static/mermaid.min.js")
    options = ["-q", "-W", "--keep-going", "-c", str(HERE), "-d", str(BUILD / "doctrees")]
    code = sphinx(
        [*options, "-D", f"html_static_path={sources / '_static'}", str(sources), str(site)]
    )
    if code == 0:
        write_twins(site, twins)
        print(f"{len(twins)} pages: {site / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

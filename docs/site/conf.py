"""Sphinx's settings. `python -m docs.site` lays out the sources first."""

from rescind import __version__

project = "Rescind"
author = "The authors of Rescind"
project_copyright = author
version = release = __version__
extensions = ["myst_parser", "docs.site.diagrams"]
exclude_patterns = ["files"]
html_theme = "furo"
html_title = f"Rescind {__version__}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False  # the twins have the same, at an address that one can guess
html_show_sphinx = False
html_last_updated_fmt = None  # the same sources give the same site
pygments_style = "friendly"
pygments_dark_style = "monokai"
nitpicky = False
myst_heading_anchors = 6
myst_enable_extensions: list[str] = []
myst_links_external_new_tab = False
suppress_warnings = ["misc.highlighting_failure"]
python_maximum_signature_line_length = 88
python_display_short_literal_types = True
add_module_names = False
toc_object_entries = False

"""How Sphinx builds these pages: ``nox -s docs``."""

project = "Lossary"
author = "The Lossary developers"
project_copyright = "The Lossary developers"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the signatures of attrs classes are long, and their options are described
suppress_warnings = ["myst.xref_missing"]  # pages also link to files that stand outside docs

html_theme = "furo"
html_title = "Lossary"

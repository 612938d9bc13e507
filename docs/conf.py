"""Sphinx configuration; build with ``make docs``."""

import re
from importlib.util import find_spec
from pathlib import Path

from sphinx_gallery.sorting import ExplicitOrder

from skotkge import __version__
from skotkge._utils.api_links import documentation_address

project = "skotkge"
copyright = "the skotkge developers"
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinxcontrib.bibtex",
    "sphinxext.opengraph",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "Thumbs.db", ".DS_Store"]
default_role = "py:obj"

# The class template lists the methods itself: numpydoc's own tables would ask for one page for each method.
numpydoc_show_class_members = False
autosummary_generate = True
autodoc_typehints = "none"

# The whole inventory of each site where there is a network, the names that these pages use otherwise.
SITES = {
    "sklearn": "https://scikit-learn.org/stable/",
    "numpy": "https://numpy.org/doc/stable/",
    "scipy": "https://docs.scipy.org/doc/scipy/",
    "pandas": "https://pandas.pydata.org/docs/",
    "torch": "https://docs.pytorch.org/docs/stable/",
    "ot": "https://pythonot.github.io/",
}
intersphinx_mapping = {name: (site, (None, f"inventories/{name}.inv")) for name, site in SITES.items()}
intersphinx_timeout = 5

bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "plain"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
ogp_site_url = html_baseurl = documentation_address() and f"{documentation_address()}/"
ogp_social_cards = {"enable": True, "line_color": "#4c78a8"}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "backreferences_dir": "api/generated/backreferences",
    "doc_module": ("skotkge",),
    "within_subsection_order": ExplicitOrder(["plot_quickstart.py", "plot_own_graph.py", "*"]),
    # Of what is not installed there is no page.
    "ignore_pattern": r"__init__\.py" if find_spec("optuna") else r"__init__\.py|plot_optuna",
    "remove_config_comments": True,
    "download_all_examples": False,
    "show_memory": False,
    "image_scrapers": ("matplotlib",),
}

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["skotkge.css"]
html_favicon = "_static/favicon.svg"
html_title = f"skotkge {release}"
html_show_sourcelink = False
html_sidebars = {"index": [], "api": []}
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "logo": {"image_light": "_static/favicon.svg", "image_dark": "_static/favicon.svg", "text": "skotkge"},
    "header_links_before_dropdown": 6,
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}


def changes_in_rst(text):
    """Return the change log in the language of these pages: headings and code are all that differ."""
    title, _, body = text.partition("\n")
    name = title.removeprefix("# ")
    body = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", body)
    body = re.sub(r"^## (.+)$", lambda found: f"{found[1]}\n{'=' * len(found[1])}", body, flags=re.MULTILINE)
    return f"{'=' * len(name)}\n{name}\n{'=' * len(name)}\n{body}"


def setup(app):
    """Write the page of the change log from CHANGES.md, the one place where it is kept."""
    folder = Path(app.srcdir)
    text = changes_in_rst((folder.parent / "CHANGES.md").read_text(encoding="utf-8"))
    (folder / "changes.rst").write_text(text, encoding="utf-8")

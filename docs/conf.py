"""Sphinx configuration; build with ``make docs``."""

from sphinx_gallery.sorting import ExplicitOrder

from skotkge import __version__

project = "skotkge"
copyright = "the skotkge contributors"
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "Thumbs.db", ".DS_Store"]
default_role = "py:obj"

# The class template lists the methods itself: numpydoc's own tables would ask for one page for each method.
numpydoc_show_class_members = False
autosummary_generate = True
autodoc_typehints = "none"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "backreferences_dir": "api/generated/backreferences",
    "doc_module": ("skotkge",),
    "within_subsection_order": ExplicitOrder(["plot_quickstart.py", "*"]),
    "remove_config_comments": True,
    "download_all_examples": False,
    "show_memory": False,
    "image_scrapers": ("matplotlib",),
}

html_theme = "pydata_sphinx_theme"
html_title = f"skotkge {release}"
html_show_sourcelink = False
html_sidebars = {"index": [], "api": []}
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}

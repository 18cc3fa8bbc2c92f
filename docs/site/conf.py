"""How Sphinx makes a site of the documents: ``nox -s site``.

The documents stay where they are, readable without it: sources are the Markdown files of the repository, README first.
What the site has beside them is the docstrings of every public name, in `docs/site/api`, which is written here.
"""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config, GoogleDocstring

from surf_data import domain

ROOT = Path(__file__).parents[2]
# Where a reader looks for what; a folder stands for its pages, in the order of the alphabet.
TREE = {
    "Start": ["docs/tutorial", "docs/review-tutorial"],
    "How to": ["docs/how-to/*"],
    "Domains": ["docs/domains/*"],
    "Reference": ["docs/reference/*"],
    "Docstrings": ["docs/site/api/*"],
    "Promises": ["docs/reliability", "docs/security", "docs/benchmarks"],
    "Background": ["docs/design-notes", "docs/dependencies", "CHANGELOG", "CONTRIBUTING", "SECURITY"],
}
_SECTIONS = Config(napoleon_use_rtype=False)
# Packages whose names are public, beside the domains.
PACKAGES = ("backup", "embedded", "migrate", "retention")

project = "surf_data"
author = project_copyright = "The surf_data maintainers"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "README"
include_patterns = ["*.md", "docs/**"]
exclude_patterns = ["docs/examples"]
templates_path: list[str] = []

html_theme = "furo"
html_title = "surf_data"
html_show_copyright = False
# What is linked to is beside the pages; the sources of the pages are not needed there.
html_copy_source = False
html_show_sourcelink = False

# Headings are linked to as on GitHub.
myst_heading_anchors = 4
# The languages of blocks are those of the pages' own tests.
highlight_language = "text"

# Of several methods of one name any is a good target for a name in a docstring.
suppress_warnings = ["ref.python"]

# In docstrings `one back quote` is code, and a link where it names something public.
default_role = "py:obj"
autodoc_default_options = {"members": True}
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
maximum_signature_line_length = 80


def _package_pages() -> None:
    """Write a page for each public package; names are those of its ``__all__``."""
    folder = ROOT / "docs" / "site" / "api"
    folder.mkdir(exist_ok=True)
    for name in ("surf_data", *(f"surf_data.{each}" for each in (*domain.NAMES, *PACKAGES))):
        package = import_module(name)
        elsewhere = []
        for each in getattr(package, "__all__", ()):
            # What is imported lazily is to be found by those who list it.
            setattr(package, each, found := getattr(package, each))
            if name == "surf_data" and str(getattr(found, "__module__", "")).startswith("surf_data.lamps"):
                elsewhere.append(each)
        title = name
        options = f"   :exclude-members: {', '.join(elsewhere)}\n" if elsewhere else ""
        page = f"{title}\n{'=' * len(title)}\n\n.. automodule:: {name}\n{options}"
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text("utf-8") != page:
            path.write_text(page, "utf-8")


def _adapt(app: Sphinx, name: str, source: list[str]) -> None:
    """Give README the tree of all pages, which GitHub would show as text; leave links to folders to GitHub."""
    folder = Path(app.srcdir, name).parent

    def text(link: re.Match[str]) -> str:
        return link[1] if (folder / link[2]).is_dir() else link[0]

    source[0] = re.sub(r"\[([^][]+)\]\(([^)#:]+)\)", text, source[0])
    if name == root_doc:
        for caption, pages in TREE.items():
            lines = "\n".join(pages)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n\n{lines}\n```\n"


def _sections(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Make what Sphinx knows of the sections of a docstring; that of an attribute has none, and may have a colon."""
    if what not in {"attribute", "data", "property"}:
        lines[:] = GoogleDocstring("\n".join(lines), _SECTIONS, app, what, name, thing, options).lines()


def _add_front(app: Sphinx, error: Exception | None) -> None:
    """Let the site begin with README."""
    if error is None:
        target = f"{root_doc}.html"
        front = (
            f'<!doctype html><meta http-equiv="refresh" content="0; url={target}"><a href="{target}">{project}</a>\n'
        )
        Path(app.outdir, "index.html").write_text(front, "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register what is done beside what Sphinx does."""
    _package_pages()
    app.connect("source-read", _adapt)
    app.connect("autodoc-process-docstring", _sections)
    app.connect("build-finished", _add_front)
    return {"parallel_read_safe": True}

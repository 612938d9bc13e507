"""Links from what notebooks show to the API pages, as soon as ``Documentation`` in pyproject.toml has their address."""

from importlib import metadata


def documentation_address():
    """Return the address of the documentation without a slash at its end; "" while there is none."""
    try:
        told = metadata.metadata("skotkge").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:  # a folder on the path, not installed
        return ""
    addresses = dict(line.split(", ", 1) for line in told)
    return addresses.get("Documentation", "").rstrip("/")


class LinksToApi:
    """Has scikit-learn's diagrams link to the page of the class. Stands before `BaseEstimator` among the bases.

    Classes that others derive have no page, and no link.
    """

    _doc_link_module = "skotkge"

    @property
    def _doc_link_template(self):
        address = documentation_address()
        return address and f"{address}/api/generated/{{estimator_module}}.{{estimator_name}}.html"

"""Write small inventories of what these pages refer to in other projects, for builds without a network.

    python tools/build_inventories.py

Sphinx takes the whole inventory from a project's site where it can and these otherwise; the addresses follow each
site's own pattern.
"""

import zlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "inventories"
SKLEARN = """base.BaseEstimator:class base.clone:function calibration.CalibratedClassifierCV:class
calibration.CalibrationDisplay:class decomposition.PCA:class feature_extraction.text.TfidfVectorizer:class
frozen.FrozenEstimator:class linear_model.RidgeCV:class manifold.TSNE:class model_selection.GridSearchCV:class
model_selection.KFold:class model_selection.PredefinedSplit:class model_selection.cross_val_score:function
model_selection.cross_validate:function pipeline.Pipeline:class pipeline.make_pipeline:function utils.Bunch:class"""
PROJECTS = {
    "sklearn": ("scikit-learn", "sklearn.", "modules/generated/{name}.html#{name}", SKLEARN),
    "numpy": (
        "NumPy",
        "numpy.",
        "reference/generated/{name}.html#{name}",
        "ndarray:class load:function random.RandomState:class",
    ),
    "scipy": (
        "SciPy",
        "scipy.",
        "reference/generated/{name}.html#{name}",
        "sparse.csr_array:class special.expit:function",
    ),
    "pandas": ("pandas", "pandas.", "reference/api/{name}.html#{name}", "DataFrame:class read_csv:function"),
    "torch": ("PyTorch", "torch.", "generated/{name}.html#{name}", "Generator:class set_num_threads:function"),
    "ot": ("POT", "ot.", "gen_modules/{name}.html#{name}", "emd:function sinkhorn:function"),
}


def inventory(project, prefix, pattern, names):
    """Return an inventory in version 2 of Sphinx's format."""
    header = f"# Sphinx inventory version 2\n# Project: {project}\n# Version: \n"
    header += "# The remainder of this file is compressed using zlib.\n"
    lines = []
    for entry in names.split():
        name, role = entry.split(":")
        lines.append(f"{prefix}{name} py:{role} 1 {pattern.format(name=prefix + name)} -\n")
    return header.encode() + zlib.compress("".join(sorted(lines)).encode(), 9)


if __name__ == "__main__":
    for file, description in PROJECTS.items():
        (FOLDER / f"{file}.inv").write_bytes(inventory(*description))

"""The reference pages: every public name, in groups; a name that no group has stands under "More".

Written below `reference/`, and not kept: they follow from ``__all__``.
"""

from __future__ import annotations

import shutil
from importlib import import_module
from itertools import chain
from pathlib import Path

Groups = dict[str, str]

FHE: Groups = {
    "Parties": "ckks bfv KeyOwner Context",
    "Arrays": "EncryptedArray EncryptedBits EncryptedDecimals WideArray EncodedMatrix assume",
    "Comparisons": "equal greater less sign abs maximum minimum argmax argmin sort where depth_of_comparison",
    "Functions": "exp log sqrt rsqrt inverse sigmoid tanh relu gelu softmax sin cos approximate evaluate "
    "periodic piecewise ApproximateFunction",
    "Programs": "compile spec Program Spec audit Audit load_program",
    "Files": "save load load_secret_key install",
    "Envelopes": "new_envelope_key seal unseal",
    "Parameters": "CKKSParameters BFVParameters WideBFVParameters",
    "Rings": "Basis CoeffPoly EvalPoly",
    "Threads": "set_num_threads num_threads",
    "Errors": "FHEError ParameterError EncodingError LevelError ScaleError ValueOverflowError NoiseError "
    "MissingKeyError FormatError",
}
ML: Groups = {
    "Linear models": "LinearRegression Ridge LogisticRegression LinearSVC FisherDiscriminant GaussianNB",
    "Other models": "SVC MLPClassifier MLPRegressor DecisionTreeClassifier DecisionTreeRegressor "
    "RandomForestClassifier RandomForestRegressor ExtraTreesClassifier ExtraTreesRegressor "
    "GradientBoostingClassifier GradientBoostingRegressor",
    "Networks, layer by layer": "ConvNet Conv2d AvgPool2d Linear Flatten Scale ReLU Sigmoid SiLU Square Tanh "
    "from_torch",
    "Learning from encrypted rows": "LinearMeansClassifier DescentRegressor DescentClassifier NesterovRegressor "
    "NesterovClassifier",
    "Around models": "from_sklearn compare Comparison StandardScaler GradientScaler PCA",
}
RESEARCH: Groups = {
    "Parts to exchange": "exchanged gaussian sparse_ternary uncorrected_digits",
    "Key switching from scratch": "Gadget powers residues switching_noise",
    "Experiments": "noise_growth precision_versus_depth cost_of_digits chart reproducible",
    "Noise models": "NoiseModel ProvenBound AverageCase",
}
PAGES: dict[str, tuple[str, Groups]] = {
    "fhe": ("Arrays, functions, parties, parameters: what ``import fhe`` gives.", FHE),
    "fhe.ml": ("Models in scikit-learn's manner.", ML),
    "fhe.research": ("Parts to exchange, and experiments that measure.", RESEARCH),
}


def page(module: str, about: str, groups: Groups) -> str:
    """A page of tables, one for each group with a name that exists."""
    public = [name for name in import_module(module).__all__ if not name.startswith("_")]
    listed = {title: [name for name in names.split() if name in public] for title, names in groups.items()}
    grouped = set(chain.from_iterable(listed.values()))
    listed["More" if groups else "Names"] = [name for name in public if name not in grouped]
    parts = [module, "=" * len(module), "", about, "", f".. currentmodule:: {module}"]
    for title, names in listed.items():
        if names:
            parts += ["", title, "-" * len(title), "", ".. autosummary::", "   :toctree: generated", "", ""]
            parts[-1] = "\n".join(f"   {name}" for name in names)
    return "\n".join(parts) + "\n"


def write(folder: Path) -> None:
    """The pages and their index, rewritten only where they change, so that Sphinx reads no more than it must."""
    folder.mkdir(exist_ok=True)
    shutil.rmtree(folder / "generated", ignore_errors=True)  # pages of names that are no more
    entries = "\n".join(f"   {module}" for module in PAGES)
    texts = {module: page(module, *what) for module, what in PAGES.items()}
    texts["index"] = f"Reference\n=========\n\n.. toctree::\n   :maxdepth: 2\n\n{entries}\n"
    for name, text in texts.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)

"""For experiments: parts to exchange, keys that can be made again, measurements as records.

Nothing here is for data that matters: keys of `reproducible` follow from a seed, exchanged samplers are neither
constant-time nor backed by the security tables. Records are lists of dictionaries: ``pandas.DataFrame(records)``.

>>> import fhe
>>> from fhe import research
>>> owner = research.reproducible(fhe.ckks(1, ring_degree=64, insecure="an example").parameters, seed=1)
>>> research.precision_versus_depth(owner)[0]["depth"]
1
"""

from fhe.research.chart import chart
from fhe.research.digits import uncorrected_digits
from fhe.research.exchange import exchanged
from fhe.research.experiments import cost_of_digits, noise_growth, precision_versus_depth
from fhe.research.gadget import Gadget, powers, residues, switching_noise
from fhe.research.models import AverageCase, NoiseModel, ProvenBound
from fhe.research.reproducible import reproducible
from fhe.research.samplers import gaussian, sparse_ternary

__all__ = [
    "AverageCase",
    "Gadget",
    "NoiseModel",
    "ProvenBound",
    "chart",
    "cost_of_digits",
    "exchanged",
    "gaussian",
    "noise_growth",
    "powers",
    "precision_versus_depth",
    "reproducible",
    "residues",
    "sparse_ternary",
    "switching_noise",
    "uncorrected_digits",
]

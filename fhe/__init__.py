"""Homomorphic encryption on NumPy arrays: compute on data that stays encrypted.

>>> import fhe
>>> ctx = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example", backend="reference")
>>> x = ctx.encrypt([1.0, 2.0, 3.0])
>>> ctx.decrypt((x * x).sum()).round(2)
np.float64(14.0)
"""

from fhe.arrays.approximate import ApproximateFunction, approximate, evaluate, periodic, piecewise
from fhe.arrays.array import EncryptedArray
from fhe.arrays.bits import EncryptedBits
from fhe.arrays.comparison import absolute as abs
from fhe.arrays.comparison import (
    argmax,
    argmin,
    depth_of_comparison,
    equal,
    greater,
    less,
    maximum,
    minimum,
    sign,
    sort,
    where,
)
from fhe.arrays.decimals import EncryptedDecimals
from fhe.arrays.elementary import (
    cos,
    exp,
    gelu,
    inverse,
    log,
    relu,
    rsqrt,
    sigmoid,
    sin,
    softmax,
    sqrt,
    tanh,
)
from fhe.arrays.functions import assume
from fhe.arrays.matrix import EncodedMatrix
from fhe.arrays.wide import WideArray
from fhe.auditing.audit import Audit
from fhe.auditing.run import audit
from fhe.backend.choose import num_threads, set_num_threads
from fhe.context import Context
from fhe.errors import (
    EncodingError,
    FHEError,
    FormatError,
    LevelError,
    MissingKeyError,
    NoiseError,
    ParameterError,
    ScaleError,
    ValueOverflowError,
)
from fhe.files import load, load_secret_key, save
from fhe.io.envelope import new_envelope_key, seal, unseal
from fhe.io.registry import install
from fhe.owner import KeyOwner, bfv, ckks
from fhe.parameters import BFVParameters, CKKSParameters
from fhe.programs.compiler import compile
from fhe.programs.program import Program
from fhe.programs.spec import Spec, spec
from fhe.ring.basis import Basis
from fhe.ring.poly import CoeffPoly, EvalPoly
from fhe.wide import WideBFVParameters

__all__ = [
    "ApproximateFunction",
    "Audit",
    "BFVParameters",
    "Basis",
    "CKKSParameters",
    "CoeffPoly",
    "Context",
    "EncodedMatrix",
    "EncodingError",
    "EncryptedArray",
    "EncryptedBits",
    "EncryptedDecimals",
    "EvalPoly",
    "FHEError",
    "FormatError",
    "KeyOwner",
    "LevelError",
    "MissingKeyError",
    "NoiseError",
    "ParameterError",
    "Program",
    "ScaleError",
    "Spec",
    "ValueOverflowError",
    "WideArray",
    "WideBFVParameters",
    "abs",
    "approximate",
    "argmax",
    "argmin",
    "assume",
    "audit",
    "bfv",
    "ckks",
    "compile",
    "cos",
    "depth_of_comparison",
    "equal",
    "evaluate",
    "exp",
    "gelu",
    "greater",
    "install",
    "inverse",
    "less",
    "load",
    "load_secret_key",
    "log",
    "maximum",
    "minimum",
    "new_envelope_key",
    "num_threads",
    "periodic",
    "piecewise",
    "relu",
    "rsqrt",
    "save",
    "seal",
    "set_num_threads",
    "sigmoid",
    "sign",
    "sin",
    "softmax",
    "sort",
    "spec",
    "sqrt",
    "tanh",
    "unseal",
    "where",
]

__version__ = "0.1.0"

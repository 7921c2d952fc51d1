"""What a folded network asks for in either packing, counted on ciphertexts without content: for predicted times.

One image is run as it is, its weights encoded before. Of many images together one ciphertext goes through each
activation, and counts as often as there are; products of matrices of doubles stand outside the seam, and have a price.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.layout import Layout
from fhe.circuits.combination import TILE, blocks, piece_bits
from fhe.circuits.evaluator import Evaluator
from fhe.costs import ZEN5, Machine, Run
from fhe.ml.folding import Folded
from fhe.ml.latency import Latency, levels_of, scales_of
from fhe.ml.throughput import Throughput
from fhe.parameters import CKKSParameters
from fhe.programs.counting import counted
from fhe.programs.dry import DryMachine
from fhe.programs.spec import Spec
from fhe.rlwe.ciphertext import Ciphertext
from fhe.rlwe.evaluate import relinearize_rescale

# Cycles of NumPy: of a product in a matrix of doubles; of a double that is gathered for a block of weights, cut from a
# residue, reduced to one; of a block, for each tile of coefficients. Measured on the machine of `fhe.costs`.
PRODUCT, GATHERED, CUT, REDUCED, BLOCK = 0.105, 3.9, 6.3, 13.4, 176e3
SMALL = 2.0**-10  # a bound on values that fits every level: what is called does not depend on it


def one_image(network: Folded, layout: Layout, parameters: CKKSParameters) -> Run:
    """A network on one image, in slots of a layout."""
    evaluator, x = _fresh(parameters)
    latency = Latency(evaluator, network, layout, assume=True)
    latency.encode()
    with counted() as tally:
        latency.run(x)
    return tally.run


def many_images(network: Folded, parameters: CKKSParameters) -> Run:
    """As many images as there are slots, a ciphertext for each entry."""
    evaluator, x = _fresh(parameters)
    throughput = Throughput(evaluator, network, assume=True)
    found = Run()
    scales = scales_of(network, parameters)
    for index, (affine, level) in enumerate(zip(network.maps, levels_of(network), strict=True)):
        bits = [q.bit_length() for q in parameters.moduli(level)]
        weights = np.rint(affine.matrix * (scales[index] or parameters.scale(level)))
        components = 3 if index and network.squares else 2
        found.add("combinations", _doubles, (components * _combined(weights, bits, parameters.ring_degree),))
        y = x.at_level(level)
        with counted() as tally:
            _after(throughput, y, index)
        found.repeat(tally.run, len(affine.offset))
    return found


def _after(throughput: Throughput, x: Ciphertext, index: int) -> None:
    """What each combination goes through: its division, an addition, the activation that follows."""
    evaluator, network = throughput.evaluator, throughput.network
    if index and network.squares:
        relinearize_rescale(x.with_polys([*x.c, x.c[1]]), evaluator.keys)
    else:
        evaluator.settle(replace(x, scale=x.scale * x.scale))
    x = evaluator.add_plain(x, SMALL)
    if index < len(network.polynomials):
        throughput.activated(x, network.polynomials[index])


def _combined(weights: NDArray[np.float64], bits: Sequence[int], ring_degree: int) -> float:
    """Cycles of `combinations` of one component."""
    rows, columns = weights.shape
    found, piece = blocks(weights), piece_bits(weights)
    pieces = sum(math.ceil(b / piece) for b in bits)
    gathered = sum(block.shape[1] for _, _, block in found if block.shape[1] < columns)
    each = PRODUCT * np.count_nonzero(weights) + GATHERED * gathered + CUT * columns + REDUCED * rows
    return float(pieces * (each * ring_degree + BLOCK * len(found) * math.ceil(ring_degree / TILE)))


def _doubles(cycles: float, machine: Machine) -> Any:
    """Products of matrices of doubles, by NumPy on threads of its own: as another machine's Python is, so are they."""
    return cycles / ZEN5.step * machine.step


def _fresh(parameters: CKKSParameters) -> tuple[Evaluator, Ciphertext]:
    """An evaluator without keys' content, and a new encryption."""
    machine = DryMachine(parameters)
    (x,) = machine.fresh(Spec((1,), "real", -SMALL, SMALL)).shards
    return machine.weightless, x

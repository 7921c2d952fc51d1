"""Slips in what is known of values: noise, intervals, scales, layouts, and the graphs of programs."""

from __future__ import annotations

from tests.mutations.mutant import ANY, Mutant


def above(path: str, before: str, after: str, tests: str, *files: str) -> Mutant:
    """A slip in Python above the seam; the files are test files, without ``tests/test_`` and ``.py`` around."""
    return Mutant(f"fhe/{path}.py", before, after, tests, tuple(map(path_of, files)), ANY)


def path_of(name: str) -> str:
    """``schemes/ckks`` is ``tests/schemes/test_ckks.py``."""
    folder, _, file = name.rpartition("/")
    return "/".join(filter(None, ["tests", folder, f"test_{file}.py"]))


MODEL, SLOTS, CHAINS = "schemes/noise_model", "schemes/noise_slots", "schemes/choice"
NOISE = [
    above("noise", "(TERM_FAILURE_BITS + 1 +", "(FAILURE_BITS + 1 +", "gaussian_tail", MODEL),
    above("noise", "math.sqrt(N * TERM_FAILURE_BITS * math.log(2) / 2)", "0", "weight", MODEL),
    above("noise", "math.sqrt(math.log(2) * union)", "math.sqrt(math.log(2) * union / 2)", "spread", MODEL),
    above("noise", "p[:half] + 1j * p[half:]", "p[:half] - 1j * p[half:]", "canonical_norm", MODEL),
    above("noise", "largest + math.log2(math.fsum", "largest + 0 * math.log2(math.fsum", "logarithm", MODEL),
    above("noise", "2 * weight(ring_degree) + 1", "weight(ring_degree) + 1", "fresh", MODEL),
    above("noise", "(sigma + 0.5)", "sigma", "rounding_of_a_message", MODEL),
    above("noise", "(math.sqrt(ERROR_VARIANCE) + 0.5)", "math.sqrt(ERROR_VARIANCE)", "rounding_of_a_message", MODEL),
    above("noise", "divide_round(parameters), math.log2(tail(parameters.ring_degree) / 2)", "NOTHING",
          "one_more_prime", SLOTS),
    above("noise", "add(noise - dropped, divide_round(parameters))", "noise - dropped", "rescaling", MODEL),
    above("noise", "for power in range(degree))", "for power in range(degree - 1))", "division", MODEL),
    above("noise", "+ energy / 2, rounding(ring_degree))", "+ energy / 2)", "rounds_too", MODEL),
    above("noise", "2 * (log_ratio - 1)", "2 * (log_ratio - 3)", "largest_digits", MODEL),
    above("noise", "b = add(b, rounding(N) + AUXILIARY_BITS_SHORT)", "b = b + 0.0", "auxiliary_modulus", MODEL),
    above("noise", "(1 + secret_norm(N) ** 2)", "1.0", "linear_terms secret_is_largest", MODEL),
    above("noise", "add(linear, quadratic, rounding(N, 2))", "add(linear, rounding(N, 2))", "quadratic", MODEL),
    above("noise", "add(linear, quadratic, rounding(N, 2))", "add(linear, quadratic)", "product_rounds", MODEL),
    above("noise", "(2 * secret_norm(N) ** 2 + 1) + ROUNDING", "(secret_norm(N) ** 2 + 1) + ROUNDING", "missing",
          SLOTS),
    above("noise", "for power in range(degree + 1))", "for power in range(degree))", "rounding", SLOTS),
    above("noise", "math.fsum(energies)), divide_round_slots(parameters))", "math.fsum(energies)))",
          "nothing_else", SLOTS),
    above("noise", "+ math.log2(sums), switch)", ", switch)", "sums_are_paid", CHAINS),
    above("noise", "return add(noise, switch) + math.log2(ring_degree)", "return noise", "rotate sound", CHAINS),
    above("choice", "math.ceil(scale_bits + math.log2(bound)) + 2", "math.ceil(scale_bits + math.log2(bound))",
          "bound", CHAINS),
    above("security", "(_QUANTUM if quantum else _CLASSICAL)", "(_CLASSICAL if quantum else _QUANTUM)", "",
          "schemes/security"),
    above("security", "12: {128: 106,", "12: {128: 109,", "tables", "schemes/security"),
    above("security", "15: {128: 825, 192: 570,", "15: {128: 825, 192: 597,", "tables", "schemes/security"),
    above("security", "levels = (bits for bits in SECURITY_LEVELS if log_qp <=",
          "levels = (bits for bits in SECURITY_LEVELS if log_qp - 1 <=", "steps", "schemes/security"),
    above("security", "quantum) >= security:", "quantum) > 0:", "refus", "schemes/security", "schemes/parameters"),
]  # fmt: skip

OVERFLOW, WIDE = "schemes/overflow", "schemes/wide"
INTERVALS = [
    above("interval", "self.high - self.low < t and", "self.high - self.low <= t and", "refused_exactly", OVERFLOW),
    above("interval", "Interval(-self.high, -self.low)", "Interval(-self.low, -self.high)", "corners", OVERFLOW),
    above("interval", "Interval(min(corners), max(corners))", "Interval(corners[0], corners[-1])", "corners", OVERFLOW),
    above("interval", "Interval(max(product.low, 0), product.high)", "Interval(0, product.high - 1)", "corners",
          OVERFLOW),
    above("interval", "max(self.high, other.high))", "self.high)", "hull", OVERFLOW),
    above("interval", "min(x.low for x in", "max(x.low for x in", "one_end", OVERFLOW),
    above("interval", "(residues - self.low % t) % t + self.low", "residues % t", "residues accepted", OVERFLOW),
    above("interval", "-(t // 2) if signed", "-((t - 1) // 2) if signed", "one_end", OVERFLOW),
    above("interval", "max(math.floor(high), 0)", "math.floor(high)", "promise", OVERFLOW),
    above("interval", "math.isqrt((t - 1) // 2)", "math.isqrt(t - 1)", "what_encryption", OVERFLOW),
    above("interval", "cls(min(low, 0), max(high, 0)) if zero", "cls(low, max(high, 0)) if zero",
          "public_values", OVERFLOW),
    above("bfv/overflow", "positive * low + negative * high", "positive * low + negative * low", "sums_of", OVERFLOW),
    above("bfv/overflow", "interval = interval.hull(-interval)", "pass", "", OVERFLOW, "schemes/bfv"),
    above("bfv/overflow", "self.parameters.ring_degree * max(", "max(", "coefficients", OVERFLOW),
    above("bfv/overflow", "np.abs(message).astype(object).sum()", "np.abs(message).max()", "", OVERFLOW),
    above("bfv/encoder", "low, high = interval.ends", "low, high = interval.low, interval.ends[1] + 1", "promises_are",
          OVERFLOW),
    above("wide", "(total - low) % M + low", "total % M", "residues_combine", WIDE),
    above("wide", "cofactor * pow(cofactor, -1, t)", "cofactor", "residues_combine", WIDE),
]  # fmt: skip

BFV_TESTS, PRODUCTS, CIRCUITS = "schemes/bfv", "schemes/bfv_products", "schemes/bfv_circuits"
BFV = [
    above("bfv/evaluator", 'noise.add(x.noise, y.noise), x.level, "a sum")', 'x.noise, x.level, "a sum")', "",
          PRODUCTS, CIRCUITS),
    above("bfv/evaluator", "if bound >= self.limit(level):", "if bound >= self.limit(level) + 30:", "runs_out",
          BFV_TESTS),
    above("bfv/evaluator", "- math.log2(2 * self.encoder.t)", "+ math.log2(2 * self.encoder.t)", "runs_out", BFV_TESTS),
    above("bfv/evaluator", "switched = noise.add(x.noise, noise.key_switch(self.parameters, x.level))",
          "switched = x.noise", "", PRODUCTS, CIRCUITS),
    above("bfv/evaluator", "x.noise + math.log2(max(plain.bound, 1.0))", "x.noise", "", PRODUCTS, CIRCUITS),
    above("bfv/evaluator", "x.noise + math.log2(max(abs(factor), 1))", "x.noise", "", PRODUCTS, CIRCUITS),
    above("bfv/evaluator", "noise.add(x.noise, rounded)", "x.noise - 1", "falls_by_adding", BFV_TESTS),
    above("bfv/evaluator", "return count", "return count + 1", "said_to_fit", PRODUCTS),
    above("bfv/evaluator", 'noise.add(*bounds), level, what)', 'max(bounds), level, what)', "", PRODUCTS),
    above("bfv/levels", "- noise.ABOVE_SWITCHING_BITS", "+ 2 * noise.ABOVE_SWITCHING_BITS", "levels_fall", PRODUCTS),
    above("bfv/levels", "noise.add(shrunk, noise.divide_round(chain.parameters, degree))", "shrunk", "dividing_and",
          PRODUCTS),
    above("bfv/product", "-(-Q.product >> AUXILIARY_BITS_SHORT)", "-(-Q.product >> 9)", "auxiliary", PRODUCTS),
    above("bfv/product", ".q(level).product << log_pairs", ".q(level).product", "holds_a_sum", PRODUCTS),
    above("bfv/product", "chain, 2 * plain_modulus(chain) *", "chain, plain_modulus(chain) *", "holds_a_sum", PRODUCTS),
    above("bfv/noise_budget", "math.log2(Q // 2) - math.log2(max(float(", "math.log2(Q) - math.log2(max(float(", "",
          MODEL, BFV_TESTS),
]  # fmt: skip

CKKS_TESTS, PRECISION, LINEAR = "schemes/ckks", "schemes/precision", "circuits/linear"
EVALUATOR = "ckks/evaluator"
CKKS = [
    above("ckks/precision", "return Noise(N / 2 + doubles,", "return Noise(doubles,", "accepted", PRECISION),
    above("ckks/precision", "linear[1].bound + a.bound * b.bound", "linear[1].bound", "exact_slot", SLOTS, PRECISION),
    above("ckks/precision", "linear[0].bound + linear[1].bound", "linear[0].bound", "exact_slot", SLOTS, PRECISION),
    above("ckks/precision", "noise_of * factor + error * magnitude", "noise_of * factor", "accepted", PRECISION),
    above("ckks/precision", "max(error + decoded,", "max(error,", "doubles_limit", PRECISION),
    above("ckks/precision", "of_products + error * (x.bound * x.scale)", "of_products", "coarse_diagonals", LINEAR),
    above("ckks/precision", "Noise(0.5, 0.3)", "Noise(0.0, 0.0)", "accepted", PRECISION),
    above(EVALUATOR, "evaluate.add(x, y), **noise.fields, bound=x.bound + y.bound",
          "evaluate.add(x, y), **noise.fields, bound=max(x.bound, y.bound)", "beyond_the_modulus", PRECISION),
    above(EVALUATOR, "noise=x.noise + y.noise, bound=max", "noise=max(x.noise, y.noise), bound=max", "", SLOTS,
          PRECISION, "arrays/encrypted"),
    above(EVALUATOR, "Noise.of(x) + precision.encoding(self.parameters, bound * x.scale)", "Noise.of(x)", "accepted",
          PRECISION),
    above(EVALUATOR, "self._product(x, c, y.scale,", "self._product(x, c, x.scale,", "all_levels", CKKS_TESTS),
    above(EVALUATOR, "noise, x.bound * plain.bound)", "noise, plain.bound)", "", PRECISION, CKKS_TESTS),
    above(EVALUATOR, "abs(number) < 2**20", "abs(number) < 2**200", "", CKKS_TESTS, PRECISION),
    above(EVALUATOR, "* math.exp2(self.parameters.scale_bits / 2)", "", "", CKKS_TESTS),
    above(EVALUATOR, "* divisor / Fraction(x.scale)", "* divisor / Fraction(self.parameters.scale(x.level))",
          "adjusting all_levels", CKKS_TESTS),
    above(EVALUATOR, "for poly in above.c], Noise.of(x) * factor", "for poly in above.c], Noise.of(x)", "accepted",
          PRECISION),
    above(EVALUATOR, "change = abs(x.scale - scale) * x.bound", "change = 0.0", "other_scales", PRECISION),
    above(EVALUATOR, "rel_tol=2.0**-40", "rel_tol=2.0**-4", "other_scales", PRECISION),
    above(EVALUATOR, "* x.bound <= x.noise", "* x.bound <= 2.0**60", "other_scales", PRECISION),
    above(EVALUATOR, "scale = x.scale / divisor", "scale = self.parameters.scale(x.level - 1)", "", CKKS_TESTS,
          "circuits/polynomial"),
    above(EVALUATOR, "(1 / divisor) + precision.rounding(self.parameters)", "(1 / divisor)", "accepted", PRECISION),
    above(EVALUATOR, "replace(x, **(Noise.of(x) + precision.key_switch(self.parameters, x.level)).fields)",
          "replace(x, **Noise.of(x).fields)", "rotations", SLOTS),
    above(EVALUATOR, "(sums[0] - sums[1]).max()", "(sums[0] + sums[1]).max()", "", LINEAR),
    above(EVALUATOR, "x.bound + x.noise / x.scale)", "x.bound)", "beyond_the_modulus", PRECISION),
    above("ckks/encoder", "self.chain.log_q(level) - 1", "self.chain.log_q(level)", "beyond_the_modulus", PRECISION),
    above("ckks/encoder", "np.abs(finite(array)) > bound", "finite(array) > bound", "bad_values", CKKS_TESTS),
    above("ckks/encoder", "(array < low) | (array > high)", "array > high", "both_ends", "programs/programs"),
    above("parameters", "math.sqrt(scale * q), initial", "scale, initial", "all_levels", CKKS_TESTS),
]  # fmt: skip

LAYOUTS, RECEIVED_ARRAYS = "arrays/layouts", "io/arrays"
ARRAYS = [
    above("arrays/layout", "reach += (count - 1) * abs(stride)", "reach += (count - 2) * abs(stride)", "", LAYOUTS,
          RECEIVED_ARRAYS),
    above("arrays/layout", "abs(stride) < reach", "abs(stride) < reach - 1", "", LAYOUTS, RECEIVED_ARRAYS),
    above("arrays/layout", "inner + copies < self.slots", "inner + copies <= self.slots", "", LAYOUTS, RECEIVED_ARRAYS),
    above("arrays/layout", "self.lowest >= 0 and", "self.lowest >= -9 and", "", LAYOUTS, RECEIVED_ARRAYS),
    above("arrays/layout", "ZERO if self.clean else UNKNOWN", "ZERO", "what_it_was", LAYOUTS),
    above("arrays/layout", "replace(layout, clean=layout.places_used ==", "replace(layout, clean=0 ==", "", LAYOUTS),
    above("arrays/layout", "if layout.clean and layout.places_used != self.places_used:", "if False:", "", LAYOUTS),
    above("arrays/layout", "(n - 1) * closed", "n * closed", "", LAYOUTS),
    above("arrays/layout", "if abs(step) <= used[-1] - used[0]:", "if False:", "", LAYOUTS),
    above("arrays/plans", "return (term,), not contents[wanted == UNKNOWN].any()", "return (term,), True", "", LAYOUTS),
    above("arrays/plans", "(wanted == UNKNOWN) | (count == 0)) & (count <= 1)", "(wanted == UNKNOWN) | (count == 0))",
          "", LAYOUTS),
    above("arrays/plans", "if overlap.max() > 1 or not", "if not", "", LAYOUTS),
    above("arrays/plans", "clean=not grown[wanted == UNKNOWN].any()", "clean=True", "", LAYOUTS),
    above("arrays/elementwise", "if absorbing and not x.layout.clean", "if not x.layout.clean", "", LAYOUTS,
          "arrays/functions"),
    above("arrays/reduce", "sums = np.broadcast_to(weights, shape).sum(axis=chosen, keepdims=True)",
          "sums = weights.sum(keepdims=True)", "reductions", LAYOUTS, "arrays/numpy"),
]  # fmt: skip

PASSES, RANGES, RUNS = "programs/passes", "programs/ranges", "programs/programs"
PROGRAMS = [
    above("programs/passes/common", "if node.operation in COMMUTATIVE:", "if True:", "different same keeps", PASSES),
    above("programs/passes/common", "number if node.operation == INPUT else None", "None", "", PASSES),
    above("programs/passes/common", "id(node.function), ", "", "", PASSES),
    above("programs/passes/common", "value.dtype.str, value.shape, value.tobytes()", "value.tobytes()", "", PASSES),
    above("programs/passes/scale", 'node.dtype.kind == "i" or not', "not", "integers", PASSES),
    above("programs/passes/scale", "1 / values[1] if", "values[1] if", "factors keeps", PASSES),
    above("programs/passes/scale", "== 1 and k not in returned}", "== 1}", "", PASSES),
    above("programs/passes/scale", "if len(users[k]) == 1 and", "if", "others_use", PASSES),
    above("programs/passes/scale", "factor * source.size / whole.size", "factor / whole.size", "factors", PASSES),
    above("programs/passes/fuse", "len(found) == 1 and node.dtype", "node.dtype", "", PASSES),
    above("programs/passes/fuse", "ends = number in returned or any", "ends = any", "also_returned", PASSES),
    above("programs/passes/fuse", "== CONSTANT and other.scalar", "== CONSTANT or other.scalar", "", PASSES),
    above("programs/passes/dead", "{*graph.returned(), *graph.inputs.values()}", "{*graph.returned()}", "nobody",
          PASSES),
    above("programs/ranges", "np.asarray(x.low - y.high), np.asarray(x.high - y.low)",
          "np.asarray(x.low - y.low), np.asarray(x.high - y.high)", "", RANGES),
    above("programs/ranges", "np.minimum(x.low**2, x.high**2))", "x.low**2)", "", RANGES),
    above("programs/ranges", "return Range(least, np.maximum(x.low**2, x.high**2))", "return Range(least, x.high**2)",
          "", RANGES),
    above("programs/ranges", "absolute = [np.abs(middle) for middle in middles]", "absolute = middles", "", RANGES),
    above("programs/ranges", "if listed and rule not in (_monotone, _place):", "if False:", "", RANGES),
    above("programs/ranges", "np.any((y.low <= 0) & (y.high >= 0))", "False", "", RANGES),
    above("programs/ranges", "np.abs(compute(node, [x.magnitude", "np.asarray(compute(node, [x.magnitude", "", RANGES),
    above("programs/ranges", "max(count - ddof, 1e-9)", "count", "", RANGES),
    above("programs/lower", "else max(abs(low), abs(high))", "else high", "", RUNS, "programs/errors"),
    above("programs/lower", "interval = ranges[node.operands[0]].hull", "interval = (-1.0, 1.0)", "", RANGES),
]  # fmt: skip

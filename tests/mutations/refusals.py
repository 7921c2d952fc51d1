"""Slips in what the core asks of its arguments: each lets something pass that does not fit."""

from __future__ import annotations

from tests.mutations.mutant import ANY, Mutant

CORE = ("tests/laws/test_refusals.py",)
BINDING, BASIS, ARITHMETIC = "csrc/bindings/ring.cpp", "csrc/ring/basis.cpp", "csrc/ring/arithmetic.cpp"
DIVISION, CONVERT, PRODUCTS, TENSOR = (
    f"csrc/ring/{name}.cpp" for name in ("division", "convert", "inner_products", "tensor")
)
ENCRYPTION, KEYSWITCH, PACKED = (f"csrc/rlwe/{name}.cpp" for name in ("encryption", "keyswitch", "packed_key"))
PACK, TABLES, SAMPLING = "csrc/ring/pack.cpp", "csrc/ring/ntt_tables.cpp", "csrc/random/sampling.cpp"
BUFFER = "csrc/pool/buffer.cpp"


def weakened(path: str, before: str, after: str = "false", tests: str = "does_not_fit") -> Mutant:
    """A condition of a refusal, and a weaker one."""
    return Mutant(path, before, after, tests, CORE, ANY)


RINGS = [
    weakened(BINDING, "shape.size() < core.size() || ", ""),
    weakened(BINDING, "!std::equal(core.rbegin(), core.rend(), shape.rbegin())"),
    weakened(BINDING, "terms.size() != ys.size()", "terms.size() > ys.size()"),
    weakened(BINDING, "terms.size() != ys.size()", "terms.size() < ys.size()"),
    weakened(BINDING, "ring_degree < 8 || ", ""),
    weakened(BINDING, "(ring_degree & (ring_degree - 1)) != 0 || ", ""),
    weakened(BINDING, " || ring_degree >> kMaxLogDegree > 1", ""),
    weakened(BASIS, "N < 8 || ", ""),
    weakened(BASIS, "N > (std::size_t{1} << kMaxLogDegree) || ", ""),
    weakened(BASIS, "moduli.empty() || ", ""),
    weakened(BASIS, "moduli.size() != roots.size()", "moduli.size() > roots.size()"),
    weakened(BASIS, "moduli.size() != roots.size()", "moduli.size() < roots.size()"),
    weakened(BASIS, "x.limbs() != size() || ", "x.limbs() < size() || "),
    weakened(BASIS, "x.limbs() != size() || ", "x.limbs() > size() || "),
    weakened(BASIS, "x.limbs() != size() || x.ring_degree() != ring_degree_", "x.limbs() != size()"),
    weakened(BASIS, "x.limbs() < size() || ", ""),
    weakened(BASIS, "x.limbs() < size() || x.ring_degree() != ring_degree_", "x.limbs() < size()"),
    weakened(BASIS, "!std::equal(shorter.rbegin(), shorter.rend(), longer.rbegin())"),
    weakened(TABLES, "root >= q.value || ", ""),
    weakened(TABLES, " || q.pow(root, ring_degree) != q.value - 1", ""),
    weakened(BASIS, "scalars.size() != size()", "scalars.size() > size()"),
    weakened(BASIS, "scalars.size() != size()", "scalars.size() < size()"),
    weakened(BASIS, "scalars[i] >= modulus(i).value", "scalars[i] > modulus(i).value"),
    weakened(ARITHMETIC, "first.leading() != second.leading() || ", ""),
    weakened(ARITHMETIC, " || first.ring_degree() != second.ring_degree()", ""),
    weakened(ARITHMETIC, "{&x, &y, &z}", "{&x, &y}"),
    weakened(ARITHMETIC, "  basis.check(y);", ""),
    weakened(ARITHMETIC, "xs.empty() || ", ""),
    weakened(ARITHMETIC, "xs.empty() || xs.size() != ys.size()", "xs.empty() || xs.size() < ys.size()"),
    weakened(ARITHMETIC, "xs.empty() || xs.size() != ys.size()", "xs.empty() || xs.size() > ys.size()"),
    weakened(ARITHMETIC, "basis.check(xs[j]);", ""),
    weakened(ARITHMETIC, "basis.check_prefix(ys[j]);", ""),
    weakened(TENSOR, "xs.size() != 2 || ", ""),
    weakened(TENSOR, " || ys.size() != 2", ""),
    weakened(TENSOR, "part.ring_degree() != basis.ring_degree() || ", ""),
    weakened(TENSOR, " || part.leading() != parts[0].leading()", ""),
    weakened(TENSOR, "limbs_.size() != basis.size()", "limbs_.size() < basis.size()"),
    weakened(TENSOR, "limbs_.size() != basis.size()", "limbs_.size() > basis.size()"),
    weakened(TENSOR, "other->first().leading() != leading"),
    weakened(TENSOR, "if (std::max(x_coeffs, y_coeffs) > basis.size())", "if (x_coeffs > basis.size())"),
    weakened("csrc/ring/automorphism.cpp", "if (element % 2 == 0)", "if (element == 0)"),
    weakened(CONVERT, "target.ring_degree() != source.ring_degree()"),
    weakened(CONVERT, "if (!before.empty()) source.check_scalars(before);", ""),
    weakened(CONVERT, "if (!after.empty()) target.check_scalars(after);", ""),
    weakened(DIVISION, "if (special > start || ", "if ("),
    weakened(DIVISION, "start >= stop || ", "start > stop || "),
    weakened(DIVISION, " || stop > basis.size()", ""),
    weakened(DIVISION, "special == 0 || ", ""),
    weakened(DIVISION, "y.limbs() + special != basis.size() ||", ""),
    weakened(DIVISION, "y.ring_degree() != basis.ring_degree() || ", ""),
    weakened(DIVISION, " || y.leading() != x.leading()", ""),
    weakened(PRODUCTS, "buffer.polynomials() != 1"),
    weakened(PRODUCTS, "x.empty() || ", ""),
    weakened(PRODUCTS, " || x[0].empty()", ""),
    weakened(PRODUCTS, "component.size() != x[0].size()", "component.size() > x[0].size()"),
    weakened(PRODUCTS, "basis.check(term);", ""),
    weakened(PRODUCTS, "terms.empty() || ", ""),
    weakened(PRODUCTS, "terms.size() != y.size()", "terms.size() < y.size()"),
    weakened(PRODUCTS, "terms.size() != y.size()", "terms.size() > y.size()"),
    weakened(PRODUCTS, "term >= x[0].size()", "term > x[0].size()"),
    weakened(PRODUCTS, "basis.check_prefix(factor);", ""),
]  # fmt: skip

KEYS_AND_BYTES = [
    weakened(ENCRYPTION, "basis.check_prefix(*half);", ""),
    weakened(ENCRYPTION, "half->polynomials() != 1"),
    weakened(ENCRYPTION, "m.limbs() + special != basis.size() || ", ""),
    weakened(ENCRYPTION, "m.ring_degree() != basis.ring_degree() || ", ""),
    weakened(ENCRYPTION, " || m.polynomials() != 1", ""),
    weakened(KEYSWITCH, "x.digit == 0 || ", ""),
    weakened(KEYSWITCH, "x.special >= basis.size()", "x.special > basis.size()"),
    weakened(KEYSWITCH, "buffer->limbs() + x.special != basis.size() || ", ""),
    weakened(KEYSWITCH, " || buffer->ring_degree() != basis.ring_degree()", ""),
    weakened(KEYSWITCH, "x.coeff->leading() != x.evaluated.leading()"),
    weakened(KEYSWITCH, "if (digits.empty())", "if (false)"),
    weakened(KEYSWITCH, "digit.leading() != leading"),
    weakened(KEYSWITCH, "addends.size() > 2"),
    weakened(KEYSWITCH, "y.limbs() + x.special != basis.size() || ", ""),
    weakened(KEYSWITCH, " || y.leading() != leading", ""),
    weakened(KEYSWITCH, "division.dropped() == 0"),
    weakened(PACKED, "b.empty() || ", ""),
    weakened(PACKED, "a.size() != b.size()", "a.size() < b.size()"),
    weakened(PACKED, "a.size() != b.size()", "a.size() > b.size()"),
    weakened(PACKED, "row.polynomials() != 1"),
    weakened(PACKED, "digits > digits_", "digits > digits_ + 1"),
    weakened(PACKED, "basis.size() > limbs_.size() || ", ""),
    weakened(PACKED, " || basis.ring_degree() != ring_degree_", ""),
    weakened(PACKED, "basis.modulus(i).value != limbs_[i].q"),
    weakened(SAMPLING, "stream.bytes < 8 * words", "stream.bytes + 1 < 8 * words"),
    weakened(SAMPLING, "if (accepted < n)", "if (accepted + 1 < n)", "does_not_fit"),
    weakened(PACK, "bytes != expected", "bytes < expected"),
    weakened(PACK, "bytes != expected", "bytes > expected"),
    weakened(PACK, "~(x[k] - q) | x[k]", "~(x[k] - q)"),
    weakened(PACK, "~(x[k] - q) | x[k]", "~(x[k] - q - 1) | x[k]"),
    weakened(BUFFER, "start >= stop || ", "start > stop || "),
    weakened(BUFFER, " || stop > limbs_", ""),
    weakened(BUFFER, "__builtin_mul_overflow(result, axis, &result) || ", "((result *= axis), false) || "),
    weakened("csrc/targets/dispatch.cpp", "if (!reached)", "if (false)"),
]  # fmt: skip

REFUSALS = [*RINGS, *KEYS_AND_BYTES]

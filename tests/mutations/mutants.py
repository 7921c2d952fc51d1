"""The mutants: single lines of arithmetic, what they become, and the tests that must notice.

An anchor is part of one line and occurs once in its file, so that it goes stale loudly when the line changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """``before`` becomes ``after`` in a file; the tests whose names contain one of ``tests`` must notice."""

    path: str
    before: str
    after: str
    tests: str
    files: tuple[str, ...] = ("tests/agreement",)
    target: str = "scalar"

    @property
    def expression(self) -> str:
        """Which tests to run, in the words of ``pytest -k``."""
        backend = f"native-{self.target}" if self.path.startswith("csrc/") else "reference-interpreted"
        return f"{backend} and ({' or '.join(self.tests.split())})"

    def fits(self, root: Path) -> bool:
        """Is the anchor there, once, on one line?"""
        return "\n" not in self.before and (root / self.path).read_text().count(self.before) == 1

    def applied(self, source: str) -> str:
        return source.replace(self.before, self.after)

    def runs_here(self) -> bool:
        """Does this CPU have the instructions of the target?"""
        from fhe.backend.native import supported_targets  # noqa: PLC0415  (may not be built)

        return self.target in supported_targets()

    def __str__(self) -> str:
        where = f"{self.path} ({self.target})" if self.path.startswith("csrc/") else self.path
        return f"{where}: {self.before!r} -> {self.after!r}"


LAWS = ("tests/laws",)
IFMA, AVX2 = "avx512ifma", "avx2"
ELEMENTWISE, RESIDUE, SHOUP = (f"csrc/kernels/{name}.inl" for name in ("elementwise", "residue", "shoup"))
NTT, INTT, WEIGHTED = (f"csrc/kernels/{name}.inl" for name in ("ntt", "intt", "weighted_sums"))
INNER, QUOTIENT, RULES = (f"csrc/kernels/{name}" for name in ("inner_product.inl", "quotient.inl", "shoup_rules.hpp"))
MODULUS, LIFT = "csrc/modulus.hpp", "csrc/ring/lift.cpp"
CONVERT, DIVISION = "csrc/ring/convert.cpp", "csrc/ring/division.cpp"
AUTOMORPHISM, PACK, TABLES = (f"csrc/ring/{name}.cpp" for name in ("automorphism", "pack", "ntt_tables"))
REAL_RESIDUE, REAL_SHOUP = (f"csrc/kernels/real_{name}.inl" for name in ("residue", "shoup"))
SAMPLING, KEYSWITCH = "csrc/random/sampling.cpp", "csrc/rlwe/keyswitch.cpp"
ENCRYPTION, PRODUCTS = "csrc/rlwe/encryption.cpp", "csrc/ring/inner_products.cpp"
PACKED_HPP, PACKED_CPP, IFMA_WORDS = "csrc/rlwe/packed_key.hpp", "csrc/rlwe/packed_key.cpp", "csrc/simd/avx512ifma.hpp"
PYTHON = "fhe/reference/residue.py"

KERNELS = [
    Mutant(ELEMENTWISE, "r.correct(Simd::add(Simd::load(x + i), Simd::load(y + i)))",
           "Simd::add(Simd::load(x + i), Simd::load(y + i))", "test_add"),
    Mutant(ELEMENTWISE, "r.lift(Simd::sub(Simd::load(x + i), Simd::load(y + i)))",
           "Simd::sub(Simd::load(x + i), Simd::load(y + i))", "test_sub"),
    Mutant(ELEMENTWISE, "r.correct(Simd::sub(r.q, Simd::load(x + i)))", "Simd::sub(r.q, Simd::load(x + i))",
           "test_neg"),
    Mutant(ELEMENTWISE, "r.correct(Simd::add(Simd::load(x + i), addend))", "Simd::add(Simd::load(x + i), addend)",
           "test_add_scalar"),
    Mutant(ELEMENTWISE, "load_once(y + i), Simd::load(z + i)", "load_once(y + i), Simd::load(x + i)", "test_mul_add"),
    Mutant(ELEMENTWISE, "{ return Simd::add(Simd::sub(x, y), r.q); }",
           "{ return (void)r, Simd::sub(x, y); }", "test_divide_round"),
    Mutant(ELEMENTWISE, "r.mul_add(x0, y1, r.mul(x1, y0))", "r.mul_add(x0, y1, r.mul(x0, y1))", "test_tensor"),
    Mutant(RESIDUE, "return Simd::min(x, Simd::sub(x, q));", "return x;", "test_add"),
    Mutant(RESIDUE, "return tight ? correct(correct(x)) : correct(x);", "return correct(x);", "test_products_whose",
           LAWS, IFMA),
    Mutant(RESIDUE, "Simd::shift_right(z, bits - 2)", "Simd::shift_right(z, bits - 1)", "test_mul"),
    Mutant(RESIDUE, "Simd::mul_lo_add(Simd::mul_lo_add(z, x, w), quotient",
           "Simd::mul_lo_add(Simd::mul_lo_add(Simd::broadcast(0), x, w), quotient",
           "test_ntt"),
    Mutant(RESIDUE, "return correct(Simd::low_word(mul_shoup_lazy(", "return (Simd::low_word(mul_shoup_lazy(",
           "test_mul_scalar"),
    Mutant(RESIDUE, "correct(Simd::min(x, Simd::sub(x, Simd::add(q, q))))", "correct(x)", "test_inner_product"),
    Mutant(RESIDUE, "(low, high, radix), quotient", "(low, high, q), quotient", "test_inner_product"),
    Mutant(SHOUP, "y = Simd::sub(twice, sum);", "y = Simd::sub(sum, twice);", "test_ntt"),
    Mutant(SHOUP, "if constexpr (step == Step::kOffset || step == Step::kReduce) x",
           "if constexpr (step == Step::kOffset) x", "test_ntt test_transforms", target=IFMA),
    Mutant(SHOUP, "if constexpr (step == Step::kReduce || strict) x", "if constexpr (strict) x",
           "test_ntt test_transforms", target=IFMA),
    Mutant(SHOUP, "if (step.reduce_x) x = barrett_lazy(x);", "", "test_intt test_transforms", target=IFMA),
    Mutant(SHOUP, "if (step.offset != 0) difference", "if (step.offset > 1) difference", "test_intt"),
    Mutant(SHOUP, "Simd::store(to, reduce(x));", "Simd::store(to, correct(Simd::low_word(x)));", "test_ntt"),
    Mutant(SHOUP, "Simd::mul_hi_add(one, w_shoup, q)", "Simd::mul_hi_add(Simd::broadcast(0), w_shoup, q)", "test_ntt"),
    Mutant(NTT, "twiddle(u, blocks - 1 + block)", "twiddle(u, blocks - 1)", "test_ntt"),
    Mutant(NTT, "table_.pass[pass] + 2 * (radix - 1) * block;", "table_.pass[pass];", "test_ntt test_transforms"),
    Mutant(INTT, "twiddle(u, blocks - 1 + block)", "twiddle(u, blocks - 1)", "test_intt"),
    Mutant(INTT, "row < schedule.kRadix / 2 ?", "row <= schedule.kRadix / 2 ?", "test_intt"),
    Mutant(RULES, "return headroom == 6 ? 30", "return headroom == 6 ? 3", "test_ntt"),
    Mutant(RULES, "return x.low >= y.high ? 0 :", "return x.high >= y.high ? 0 :", "test_intt"),
    Mutant(RESIDUE, "2 * (Simd::kWordBits - q.bits)", "2 * (Simd::kWordBits - q.bits) + 1",
           "test_sums_of_the_largest", LAWS, IFMA),
    Mutant(INNER, "j < std::min(start + run, terms); ++j) {", "j < std::min(start + run, terms - 1); ++j) {",
           "test_inner_product"),
    Mutant(WEIGHTED, "run.first ? Simd::broadcast(0)", "true ? Simd::broadcast(0)", "test_convert",
           target=IFMA),
    Mutant(RESIDUE, "- 1) * 4 / 5;", "- 1) * 2;", "test_convert", target=IFMA),
    Mutant(WEIGHTED, "add_product(sum[o][v], x[v], w)", "add_product(sum[o][v], x[0], w)",
           "test_convert", target=IFMA),
    Mutant(QUOTIENT, "Simd::real_add(sum[u], half)", "sum[u]", "test_convert"),
    Mutant(QUOTIENT, "Simd::broadcast_real(reciprocals[i])", "Simd::broadcast_real(reciprocals[0])", "test_convert"),
]  # fmt: skip

DOUBLES = [
    Mutant(REAL_RESIDUE, "return Simd::min(Simd::add(x, q), x);", "return Simd::add(x, q);", "test_mul", target=AVX2),
    Mutant(REAL_RESIDUE, "Simd::real_sub(Simd::fnma(k, modulus, high), minus_low)", "Simd::fnma(k, modulus, high)",
           "test_mul", target=AVX2),
    Mutant(REAL_RESIDUE, "Real magic = Simd::broadcast_real(0x1.8p52);", "Real magic = Simd::broadcast_real(0x1p52);",
           "test_ntt", target=AVX2),
    Mutant(REAL_RESIDUE, "low = Simd::real_add(low, Simd::fma(x, y, Simd::real_sub(high, sum)));", "low = low;",
           "test_inner_product", target=AVX2),
    Mutant(REAL_RESIDUE, "(54 - q.bits) / 2", "(62 - q.bits) / 2", "test_inner_product", target=AVX2),
    Mutant(REAL_RESIDUE, "r.leave(r.reduce(", "r.leave((", "test_inner_product", target=AVX2),
    Mutant(REAL_SHOUP, "if constexpr (step == Step::kReduce) x = reduce(x);", "", "test_ntt test_transforms",
           target=AVX2),
    Mutant(REAL_SHOUP, "Simd::real_mul(w, reciprocal)", "reciprocal", "test_ntt", target=AVX2),
    Mutant("csrc/kernels/real_rules.hpp", "return headroom == 2 && !first_pass", "return headroom == 3 && !first_pass",
           "test_ntt", target=AVX2),
    Mutant("csrc/simd/avx2.hpp", "broadcast_real(0x1p84 + 0x1p52)", "broadcast_real(0x1p84)", "test_convert",
           target=AVX2),
    Mutant("csrc/simd/avxifma.hpp", "return add(z.high, _mm256_srli_epi64(z.low, 52));", "return z.high;",
           "test_inner_product", target="avxifma"),
    Mutant("csrc/simd/avx512ifma.hpp", "return add(z.high, _mm512_srli_epi64(z.low, 52));", "return z.high;",
           "test_inner_product", target=IFMA),
]  # fmt: skip

RING = [
    Mutant(MODULUS, "return correct(static_cast<u64>(z) - quotient * value);",
           "return static_cast<u64>(z) - quotient * value;", "test_ntt"),
    Mutant(MODULUS, "w * one_shoup + mul_hi(w, radix_shoup);", "w * one_shoup;", "test_mul_scalar test_ntt"),
    Mutant("csrc/ring/order.hpp", "(i % 8 * 8) | (i / 8 % 8)", "(i & 63)", "test_ntt"),
    Mutant(TABLES, "powers[1] = q.mul(powers[1], degree_inverse);", "", "test_intt"),
    Mutant(TABLES, "powers[(8 * blocks << stage) + ((8 * block + a) << stage) + j]",
           "powers[(8 * blocks << stage) + (8 * block << stage) + j]", "test_ntt"),
    Mutant("csrc/ring/arithmetic.cpp", "return x.row(polynomial % x.polynomials(), limb);", "return x.row(0, limb);",
           "test_add"),
    Mutant(CONVERT, "if (i != except) result", "result", "test_convert"),
    Mutant(CONVERT, "? p.neg(weight) : weight", "? weight : weight", "test_convert"),
    Mutant(CONVERT, "1.0 / static_cast<double>(q.value)", "1.0 / static_cast<float>(q.value)", "test_convert"),
    Mutant(CONVERT, "inverse_of_product(source, i, q)", "inverse_of_product(source, source.size() - 1 - i, q)",
           "test_convert"),
    Mutant(DIVISION, "rows_of(x, polynomial, stop_, x.limbs())",
           "rows_of(x, polynomial, start_, x.limbs() - stop_ + start_)",
           "test_divide_round"),
    Mutant(DIVISION, "terms.rows(), first, count, N", "terms.rows(), 0, count, N", "test_divide_round_eval"),
    Mutant(DIVISION, "products_[limb - special_]", "products_[0]", "test_divide_round_sum"),
    Mutant(DIVISION, "limb < special ? nullptr : y", "limb < start ? nullptr : y", "test_divide_round_sum"),
    Mutant(DIVISION, "q.mul(inverses_.back(), product_modulo(before, q))", "inverses_.back()", "test_divide_round_sum"),
    Mutant("csrc/ring/weighted_sums.cpp", "weights_.data() + k * inputs_", "weights_.data()",
           "test_divide_round_eval test_decompose"),
    Mutant(AUTOMORPHISM, "k * inverse & (2 * N - 1)", "k * inverse & (N - 1)", "test_automorphism_coeff"),
    Mutant(AUTOMORPHISM, "(2 * u64{order[k]} + 1) * g", "(2 * u64{order[k]}) * g", "test_automorphism_eval"),
    Mutant(AUTOMORPHISM, "step < 5; ++step", "step < 1; ++step", "test_automorphism_coeff"),
    Mutant(AUTOMORPHISM, "step < 5; ++step", "step < 4; ++step", "test_automorphism_coeff"),
    Mutant(LIFT, "| (rest != 0 ? 1 : 0)", "| 0", "test_lift", LAWS),
    Mutant(LIFT, "return negative != 0 ? -magnitude : magnitude;", "return magnitude;", "test_lift"),
    Mutant(LIFT, "half.push_back(Q[w] >> 1 |", "half.push_back(Q[w] >> 2 |", "test_lift"),
    Mutant(LIFT, "const u128 difference = static_cast<u128>(x[w]) - y[w] - borrow;",
           "const u128 difference = static_cast<u128>(x[w]) - y[w];", "test_lift"),
    Mutant(LIFT, "i == 1 ? q.reduce(u64{1} << 32)", "i == 1 ? q.reduce(u64{1} << 31)", "test_reduce"),
    Mutant(PACK, "word = x[k] >> (bits - filled);", "word = x[k] >> (bits - filled - 1);", "test_pack"),
    Mutant(PACK, "residue_at(tail, k * bits - 8 * last, mask)", "residue_at(tail, k * bits, mask)", "test_unpack"),
    Mutant(PACK, "const u64 mask = (u64{1} << bits) - 1;", "const u64 mask = (u64{2} << bits) - 1;", "test_unpack"),
]  # fmt: skip

SAMPLES_AND_KEYS = [
    Mutant(SAMPLING, "accepted += word < limit ? 1 : 0;", "accepted += word <= limit ? 1 : 0;", "test_uniform", LAWS),
    Mutant(SAMPLING, "return mul_hi(3, word) - 1;", "return mul_hi(3, word + 1) - 1;", "test_ternary"),
    Mutant(SAMPLING, "ones(word >> 21 & kMask)", "ones(word >> 22 & kMask)", "test_centred_binomial"),
    Mutant(SAMPLING, "(bits & 0x333333)", "(bits & 0x033333)", "test_centred_binomial"),
    Mutant(SAMPLING, "words, limb * share, share", "words, limb * N, share", "test_uniform"),
    Mutant(PRODUCTS, "x[c][term].row(0, limb) + offset", "x[0][term].row(0, limb) + offset", "test_inner_products"),
    Mutant(ENCRYPTION, "q.value - division_->divisor(j)", "division_->divisor(j)", "test_encrypt"),
    Mutant(ENCRYPTION, "samples_.row(sample)", "samples_.row(0)", "test_encrypt"),
    Mutant(KEYSWITCH, "std::max(limb, stop) - (stop - start)", "limb - (stop - start)",
           "test_decompose test_key_switch"),
    Mutant(KEYSWITCH, "start <= limb && limb < stop", "start < limb && limb < stop", "test_decompose"),
    Mutant(KEYSWITCH, "(polynomial * digits.size() + j)", "(polynomial + j)", "test_decompose"),
    Mutant(KEYSWITCH, "special + limb - stop", "limb - stop", "test_switch_down"),
    Mutant(KEYSWITCH, "start - special, count, N", "0, count, N", "test_switch_down"),
    Mutant(KEYSWITCH, "half.added(p, j), j)", "half.added(0, j), j)", "test_switch_down"),
    Mutant(PACKED_HPP, "2 * digits_ * columns() * width, width}", "2 * columns() * width, width}", "test_key_product"),
    Mutant(PACKED_CPP, "start += row_bytes(width);", "start += row_bytes(width) - width;", "test_pack_key"),
    Mutant(INNER, "key + k / jam * half + k", "key + k", "test_key_product"),
    Mutant(IFMA_WORDS, "(u64{1} << width) - 1", "(u64{1} << (width - 1)) - 1", "test_key_product", target=IFMA),
]  # fmt: skip

REFERENCE = [
    Mutant(PYTHON, "out[k] = (x[k] + y[k]) % q", "out[k] = (x[k] + y[k]) % (q + 1)", "test_sums test_products", LAWS),
    Mutant(PYTHON, "out[k] = (x[k] + (q - y[k])) % q", "out[k] = (x[k] + (q + y[k])) % q", "test_sums", LAWS),
    Mutant(PYTHON, "out[k] = (q - x[k]) % q", "out[k] = q - x[k]", "test_sums", LAWS),
    Mutant(PYTHON, "out[k] = (a * b + c) % q", "out[k] = a * b % q", "test_entrywise", LAWS),
    Mutant(PYTHON, "(out[i + j - N] + (q - a * b % q)) % q", "(out[i + j - N] + a * b % q) % q",
           "test_ntt_turns", LAWS),
    Mutant(PYTHON, "a, w = x[j], powers[j]", "a, w = x[j], powers[0]", "test_ntt_evaluates", LAWS),
    Mutant(PYTHON, "out[j] = a * inverse_N % q", "out[j] = a", "test_intt_inverts", LAWS),
    Mutant(PYTHON, "(even + (q - odd)) % q", "(odd + (q - even)) % q", "test_ntt_evaluates", LAWS),
    Mutant(PYTHON, "out[exponent - N] = (q - x[j]) % q", "out[exponent - N] = x[j]", "test_automorphisms", LAWS),
    Mutant(PYTHON, "exponent = (2 * k + 1) * element", "exponent = (2 * k) * element", "test_automorphisms", LAWS),
    Mutant("fhe/reference/rns.py", "return math.floor(s + 0.5)", "return math.floor(s)", "test_convert", LAWS),
    Mutant("fhe/reference/rns.py", "s += float(digit) * (1.0 / q)", "s += float(digit) / q", "test_convert", LAWS),
    Mutant("fhe/reference/rns.py", "x - Q if 2 * x > Q else x", "x - Q if 2 * x >= Q else x", "test_lift", LAWS),
    Mutant("fhe/reference/rns.py", "x - Q if 2 * x > Q else x", "x", "test_lift", LAWS),
    Mutant("fhe/reference/rns.py", "return [x * inverse % q for", "return [x * inverse for", "test_convert", LAWS),
    Mutant("fhe/reference/sampling.py", "if w < limit]", "if w <= limit]", "test_uniform", LAWS),
    Mutant("fhe/reference/sampling.py", "(w >> 21 & mask)", "(w >> 20 & mask)", "test_centred_binomial", LAWS),
    Mutant("fhe/reference/sampling.py", "(3 * w >> 64) - 1", "(2 * w >> 63) - 1", "test_ternary", LAWS),
    Mutant("fhe/reference/backend.py", "pow(dropped.product, -1, q)", "pow(kept.product // q, -1, q)",
           "test_divide_round", LAWS),
    Mutant("fhe/reference/backend.py", "min(start + digit, count)", "start + digit", "test_digits", LAWS),
]  # fmt: skip

MUTANTS = [*KERNELS, *DOUBLES, *RING, *SAMPLES_AND_KEYS, *REFERENCE]

# Mutants that compute the same: they must survive, and say why.
EQUIVALENT = {
    next(m for m in MUTANTS if m.after == "step < 4; ++step"): "four steps give g^-1 mod 2^48, and 2N is at most 2^18",
    next(m for m in MUTANTS if "2 * x >= Q" in m.after): "Q is odd, so 2x is never Q",
}

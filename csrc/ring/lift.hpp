// Integers in and out: signed words to residues, residues to doubles.
#pragma once

#include "basis.hpp"

namespace fhe {

// The residues of `coefficients`, N for each polynomial of the leading axes.
Buffer reduce(const Basis& basis, const Axes& leading, const i64* coefficients);

// The integer of (-Q/2, Q/2] with these residues, correctly rounded to a double below 2^100, else as
// kernels/mixed_radix.inl sums its digits; out holds N for each polynomial. Beyond the range of doubles: infinity. No
// branch and no address depends on the residues.
void lift(const Basis& basis, const Buffer& x, double* out);

}  // namespace fhe

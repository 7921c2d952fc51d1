// Integers in and out: signed words to residues, residues to correctly rounded doubles.
#pragma once

#include "basis.hpp"

namespace fhe {

// The residues of `coefficients`, N for each polynomial of the leading axes.
Buffer reduce(const Basis& basis, const Axes& leading, const i64* coefficients);

// The double nearest to the integer of (-Q/2, Q/2] with these residues, of two the even one; out holds N for each
// polynomial. Beyond the range of doubles: infinity.
void lift(const Basis& basis, const Buffer& x, double* out);

}  // namespace fhe

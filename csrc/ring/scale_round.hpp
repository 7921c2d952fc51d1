// What a polynomial modulo Q is modulo t, once it is divided by Q/t.
//
// A. Halevi, Y. Polyakov, V. Shoup: An improved RNS variant of the BFV homomorphic encryption scheme, CT-RSA 2019,
// section 2.3.
#pragma once

#include "basis.hpp"

namespace fhe {

// round(t x / Q) modulo t, the only prime of `plain`, and t x / Q - round(t x / Q); `rest` holds N for each polynomial.
// Throws std::invalid_argument for a buffer that does not fit the basis, and for a plain basis that does not.
Buffer scale_round(const Basis& basis, const Basis& plain, const Buffer& x, double* rest);

}  // namespace fhe

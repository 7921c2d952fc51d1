// Permutations of a row: f(X) to f(X^g) in both domains, and evaluations to and from natural order.
//
// Every function throws std::invalid_argument when buffers do not fit the basis or g is even.
#pragma once

#include "basis.hpp"

namespace fhe {

Buffer automorphism_coeff(const Basis& basis, const Buffer& x, u64 element);
Buffer automorphism_eval(const Basis& basis, const Buffer& x, u64 element);
Buffer to_natural(const Basis& basis, const Buffer& x);
Buffer from_natural(const Basis& basis, const Buffer& x);

}  // namespace fhe

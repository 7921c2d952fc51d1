// Hybrid key switching: the digits of a polynomial over P*Q_l, and their inner product with a switching key.
//
// K. Han, D. Ki: Better bootstrapping for approximate homomorphic encryption, CT-RSA 2020.
#pragma once

#include <utility>
#include <vector>

#include "../ring/basis.hpp"

namespace fhe {

// A polynomial over the Q_l of a basis P*Q_l, of which the first `special` limbs are P, to be cut in digits of `digit`
// limbs. Both buffers hold the same polynomial.
struct Operand {
  std::size_t special, digit;
  const Buffer& coeff;
  const Buffer& evaluated;
};

// Both throw std::invalid_argument when buffers do not fit the basis or one another.
std::vector<Buffer> decompose(const Basis& basis, const Operand& x);
std::pair<Buffer, Buffer> key_switch(const Basis& basis, const Operand& x, const std::vector<Buffer>& key_b,
                                     const std::vector<Buffer>& key_a);

}  // namespace fhe

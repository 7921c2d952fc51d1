// Hybrid key switching: the digits of a polynomial over P*Q_l, and their inner product with a switching key.
//
// K. Han, D. Ki: Better bootstrapping for approximate homomorphic encryption, CT-RSA 2020.
#pragma once

#include <utility>
#include <vector>

#include "../ring/basis.hpp"
#include "packed_key.hpp"

namespace fhe {

// A polynomial over the Q_l of a basis P*Q_l, of which the first `special` limbs are P, to be cut in digits of `digit`
// limbs. Both buffers hold the same polynomial; where there are no coefficients they are computed.
struct Operand {
  std::size_t special, digit;
  const Buffer* coeff;
  const Buffer& evaluated;
};

// All throw std::invalid_argument when buffers do not fit the basis or one another.
std::vector<Buffer> decompose(const Basis& basis, const Operand& x);
std::pair<Buffer, Buffer> key_product(const Basis& basis, const std::vector<Buffer>& digits, const PackedKey& key);
std::pair<Buffer, Buffer> key_switch(const Basis& basis, const Operand& x, const PackedKey& key);
// The halves of `key_switch` u_k to round((u_k + P y_k) / D) over the limbs special … stop-1, D the product of all
// others; there may be fewer addends y_k than halves.
std::pair<Buffer, Buffer> switch_down(const Basis& basis, const Operand& x, const PackedKey& key, std::size_t stop,
                                      const std::vector<Buffer>& addends);

}  // namespace fhe

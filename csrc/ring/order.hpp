// The order in which a row keeps its evaluations.
#pragma once

#include <vector>

#include "../word.hpp"

namespace fhe {

// Where the output i of the bit-reversed butterfly network is stored: each block of 64 as the transpose of an
// 8 x 8 matrix, which spares a vector target 24 shuffles a block. Rings below 64 keep the bit-reversed order.
constexpr u64 stored_position(u64 i, u64 ring_degree) {
  return ring_degree < 64 ? i : (i & ~u64{63}) | (i % 8 * 8) | (i / 8 % 8);
}

// p such that position k of a row in the evaluation domain holds f(psi^(2 p[k] + 1)). The same for every target.
inline std::vector<u32> evaluation_order(u64 ring_degree) {
  std::vector<u32> order(ring_degree);
  const int log_degree = bit_length(ring_degree) - 1;
  for (u64 i = 0; i < ring_degree; ++i) {
    order[stored_position(i, ring_degree)] = static_cast<u32>(reverse_bits(i, log_degree));
  }
  return order;
}

}  // namespace fhe

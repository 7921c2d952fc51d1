// Keystream to samples, one little-endian 64-bit word after another: the same bytes give the same samples everywhere.
//
// A stream may be longer than what is read. Throws std::invalid_argument when it is shorter.
#pragma once

#include "../ring/basis.hpp"

namespace fhe {

struct Stream {
  const unsigned char* data;
  std::size_t bytes;
};

// Words of keystream read for each row: see uniform_words in fhe/backend/protocol.py.
constexpr std::size_t uniform_words(std::size_t ring_degree) { return ring_degree + ring_degree / 64 + 64; }

// Variable time: for public values only.
Buffer uniform(const Basis& basis, const Stream& words);

// Constant time: neither branches nor addresses depend on the words. In every limb, or n of them as signed integers.
Buffer ternary(const Basis& basis, const Stream& words);
Buffer centred_binomial(const Basis& basis, const Stream& words);
void ternary(u64* out, const Stream& words, std::size_t n);
void centred_binomial(u64* out, const Stream& words, std::size_t n);

}  // namespace fhe

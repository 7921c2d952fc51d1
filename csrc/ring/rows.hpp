// Rows of buffers and of scratch memory, as the kernels take them: arrays of pointers.
#pragma once

#include <cstddef>
#include <vector>

#include "../pool/buffer.hpp"

namespace fhe {

using Rows = std::vector<u64*>;
using ConstRows = std::vector<const u64*>;

// Limbs start … stop-1 of one polynomial, from coefficient `offset` on.
inline ConstRows rows_of(const Buffer& x, std::size_t polynomial, std::size_t start, std::size_t stop,
                         std::size_t offset = 0) {
  ConstRows rows;
  rows.reserve(stop - start);
  for (std::size_t i = start; i < stop; ++i) rows.push_back(x.row(polynomial, i) + offset);
  return rows;
}

inline Rows rows_of(Buffer& x, std::size_t polynomial, std::size_t start, std::size_t stop, std::size_t offset = 0) {
  Rows rows;
  rows.reserve(stop - start);
  for (std::size_t i = start; i < stop; ++i) rows.push_back(x.row(polynomial, i) + offset);
  return rows;
}

// The same rows from coefficient `offset` on.
template <class Pointer>
std::vector<Pointer> advanced(std::vector<Pointer> rows, std::size_t offset) {
  for (auto& row : rows) row += offset;
  return rows;
}

// Scratch memory of `count` rows of n words.
class Scratch {
 public:
  Scratch(std::size_t count, std::size_t n) : block_(take(count * n)) {
    rows_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) rows_.push_back(block_.get() + i * n);
  }
  u64* row(std::size_t i) const { return rows_[i]; }
  u64* const* rows() const { return rows_.data(); }
  const Rows& all() const { return rows_; }

 private:
  Block block_;
  Rows rows_;
};

}  // namespace fhe

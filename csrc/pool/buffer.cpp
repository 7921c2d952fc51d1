#include "buffer.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace fhe {

std::size_t product(const Axes& axes) {
  std::size_t result = 1;
  for (const std::size_t axis : axes)
    if (__builtin_mul_overflow(result, axis, &result) || result > (std::size_t{1} << 48))
      throw std::length_error("a buffer of more than 2^48 residues");
  return result;
}

Buffer::Buffer(Axes leading, std::size_t limbs, std::size_t ring_degree)
    : leading_(std::move(leading)),
      polynomials_(product(leading_)),
      limbs_(limbs),
      ring_degree_(ring_degree),
      words_(take(product({polynomials_, limbs, ring_degree}))) {}

Buffer Buffer::slice(std::size_t start, std::size_t stop) const {
  if (start >= stop || stop > limbs_)
    throw std::invalid_argument("limbs " + std::to_string(start) + " to " + std::to_string(stop) + " of a buffer of " +
                                std::to_string(limbs_));
  if (polynomials_ == 1) {
    Buffer part = *this;
    part.limbs_ = stop - start;
    part.words_ = std::shared_ptr<u64[]>(words_, words_.get() + start * ring_degree_);
    return part;
  }
  Buffer part(leading_, stop - start, ring_degree_);
  for (std::size_t i = 0; i < polynomials_; ++i) std::copy_n(row(i, start), part.limbs_ * ring_degree_, part.row(i, 0));
  return part;
}

SecretWords::SecretWords(std::size_t count) : count_(count), words_(take(count)) { std::memset(data(), 0, bytes()); }

}  // namespace fhe

// A buffer: residues of shape (leading…, limbs, N) in a shared block of the pool.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "pool.hpp"

namespace fhe {

using Axes = std::vector<std::size_t>;

// The product of the axes; throws std::length_error beyond 2^48.
std::size_t product(const Axes& axes);

// Copies share the block. Written while it is made, immutable from then on (`wipe` alone destroys one).
class Buffer {
 public:
  // Contents undefined.
  Buffer(Axes leading, std::size_t limbs, std::size_t ring_degree);

  const Axes& leading() const { return leading_; }
  std::size_t polynomials() const { return polynomials_; }
  std::size_t limbs() const { return limbs_; }
  std::size_t ring_degree() const { return ring_degree_; }
  std::size_t rows() const { return polynomials_ * limbs_; }
  std::size_t words() const { return rows() * ring_degree_; }

  u64* data() { return words_.get(); }
  const u64* data() const { return words_.get(); }
  u64* row(std::size_t polynomial, std::size_t limb) { return data() + (polynomial * limbs_ + limb) * ring_degree_; }
  const u64* row(std::size_t polynomial, std::size_t limb) const {
    return data() + (polynomial * limbs_ + limb) * ring_degree_;
  }

  // Limbs start … stop-1: the same block when there is one polynomial, else a copy.
  Buffer slice(std::size_t start, std::size_t stop) const;

 private:
  Axes leading_;
  std::size_t polynomials_, limbs_, ring_degree_;
  std::shared_ptr<u64[]> words_;
};

// Zeroed memory for secret keystream, wiped when released.
class SecretWords {
 public:
  explicit SecretWords(std::size_t count);
  ~SecretWords() { wipe(words_.get(), bytes()); }
  SecretWords(const SecretWords&) = delete;
  SecretWords& operator=(const SecretWords&) = delete;

  void* data() { return words_.get(); }
  std::size_t bytes() const { return 8 * count_; }

 private:
  std::size_t count_;
  Block words_;
};

}  // namespace fhe

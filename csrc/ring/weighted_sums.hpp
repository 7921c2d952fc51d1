// out_k = sum_i rows[i] * weight_(k,i) mod p_k for several primes p_k at once, whichever targets they are bound to.
#pragma once

#include <cstddef>
#include <vector>

#include "basis.hpp"

namespace fhe {

// Rows of any values below 2^50 and the weights that make them residues of the primes p_k. Owns all that it needs.
class WeightedSums {
 public:
  // weight(p, i) is the weight in [0, p) of row i modulo p.
  template <class Weight>
  WeightedSums(const Limbs& primes, std::size_t inputs, const Weight& weight) : inputs_(inputs) {
    for (const NttTables* tables : primes) {
      primes_.push_back({tables->q, tables->kernels});
      for (std::size_t i = 0; i < inputs; ++i) weights_.push_back(weight(tables->q, i));
    }
    for (const Prime& prime : primes_) moduli_.push_back(&prime.q);
  }
  WeightedSums(WeightedSums&&) = default;

  // Output k times factors[k], a residue.
  void scale(const std::vector<u64>& factors);

  std::size_t inputs() const { return inputs_; }
  std::size_t outputs() const { return primes_.size(); }

  struct Prime {
    Modulus q;
    const Kernels* kernels;
  };
  const Prime& prime(std::size_t k) const { return primes_[k]; }

  // out[k] for the primes first … first + count - 1, on n coefficients.
  void operator()(u64* const* out, const u64* const* rows, std::size_t first, std::size_t count, std::size_t n) const;

 private:
  std::size_t inputs_;
  std::vector<Prime> primes_;
  std::vector<const Modulus*> moduli_;
  std::vector<u64> weights_;
};

}  // namespace fhe

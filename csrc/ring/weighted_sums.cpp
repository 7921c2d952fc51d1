#include "weighted_sums.hpp"

namespace fhe {

void WeightedSums::scale(const std::vector<u64>& factors) {
  for (std::size_t k = 0; k < outputs(); ++k)
    for (std::size_t i = 0; i < inputs_; ++i) {
      u64& weight = weights_[k * inputs_ + i];
      weight = primes_[k].q.mul(weight, factors[k]);
    }
}

// Primes of one basis may be bound to different kernels: each run of equals is one call.
void WeightedSums::operator()(u64* const* out, const u64* const* rows, std::size_t first, std::size_t count,
                              std::size_t n) const {
  for (std::size_t k = first; k < first + count;) {
    const Kernels* kernels = primes_[k].kernels;
    std::size_t end = k + 1;
    while (end < first + count && primes_[end].kernels == kernels) ++end;
    kernels->weighted_sums(out + (k - first), end - k, rows, inputs_, weights_.data() + k * inputs_, n,
                           moduli_.data() + k);
    k = end;
  }
}

}  // namespace fhe

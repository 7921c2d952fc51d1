// From one basis to another, on coefficients: sum_i y_i (Q/q_i) with y_i = x_i (Q/q_i)^-1 mod q_i.
//
// A. Halevi, Y. Polyakov, V. Shoup: An improved RNS variant of the BFV homomorphic encryption scheme, CT-RSA 2019.
#pragma once

#include <cstddef>
#include <vector>

#include "basis.hpp"
#include "weighted_sums.hpp"

namespace fhe {

// The y_i of a x for a constant a, given by its residues (none: 1), and the quotient v = floor(s + 1/2), s = sum_i
// y_i / q_i. Owns all that it needs.
class Terms {
 public:
  explicit Terms(const Limbs& source, const std::vector<u64>& scale = {});

  std::size_t count() const { return source_.size() + 1; }
  // terms[i] = x[i] * a (Q/q_i)^-1 mod q_i, then v, and s - v into `rest`, which may be null. A row of terms may be the
  // row of x it comes from.
  void operator()(u64* const* terms, const u64* const* x, std::size_t n, double* rest = nullptr) const;
  // out = x + c modulo the first prime.
  void shift(u64* out, const u64* x, u64 c, std::size_t n) const {
    source_[0].kernels->add_scalar(out, x, c, n, source_[0].q);
  }

 private:
  struct Source {
    Modulus q;
    const Kernels* kernels;
    u64 factor;  // a (Q/q_i)^-1 mod q_i
  };

  std::vector<Source> source_;
  std::vector<double> reciprocals_;  // 1.0 / q_i
};

// The constants of one conversion to the representative nearest to zero; owns all that it needs. It works in two steps,
// so that callers choose what stays in cache between them: `terms` scales the source rows, `sums` weighs the terms for
// some of the targets. Of a single prime q there is one term, x + (q-1)/2 mod q, which is (q-1)/2 above what is wanted.
//
// `before` multiplies what is converted, `after` what comes of it: a residue for each prime, or none at all.
class Conversion {
 public:
  Conversion(const Limbs& source, const Limbs& target, const std::vector<u64>& before = {},
             const std::vector<u64>& after = {});

  std::size_t terms_count() const { return sums_.inputs(); }
  std::size_t targets() const { return sums_.outputs(); }
  // A row of terms may be the row of x it comes from.
  void terms(u64* const* terms, const u64* const* x, std::size_t n) const;
  // out[k] for the targets first … first + count - 1: weights Q/q_i and, for v, -Q.
  void sums(u64* const* out, const u64* const* terms, std::size_t first, std::size_t count, std::size_t n) const;

 private:
  bool single() const { return half_ != 0; }

  Terms terms_;
  u64 half_;                // (q-1)/2 of a single source that nothing multiplies, else 0
  std::vector<u64> after_;  // none, or for each target
  WeightedSums sums_;
};

// Targets that are converted to in one go: the terms are read once for all of them, and once they are transformed the
// rows are still in the second- or third-level cache. Measured from N = 2^13 to 2^16: 4 and 8 are the same, 1 costs a
// tenth more.
constexpr std::size_t kTargetsAtOnce = 4;

// Coefficients of `rows` rows at a time that stay in a second-level cache: a power of two.
std::size_t cached_block(std::size_t rows);

// Throws std::invalid_argument when the buffer does not fit the source, the bases one another, or the scalars them.
Buffer convert(const Basis& source, const Basis& target, const Buffer& x, const std::vector<u64>& before = {},
               const std::vector<u64>& after = {});

}  // namespace fhe

// Dividing by some of a basis' primes, with rounding: ModDown, rescaling, modulus switching, and their merger.
//
// S. Halevi, Y. Polyakov, V. Shoup: An improved RNS variant of the BFV homomorphic encryption scheme, CT-RSA 2019.
#pragma once

#include <cstddef>
#include <vector>

#include "convert.hpp"
#include "rows.hpp"

namespace fhe {

// round((x + P y) / D) over the limbs start … stop-1 that are kept: D is the product of all others, the dropped ones,
// and P that of the first `special` of them, which y lacks. Owns its constants; the steps are apart, so that callers
// choose what stays in cache between them.
class Division {
 public:
  // The constants of a basis, made once. Throws std::invalid_argument unless special <= start < stop <= basis.size().
  static const Division& of(const Basis& basis, std::size_t special, std::size_t start, std::size_t stop);

  std::size_t dropped() const { return dropped_.size(); }
  std::size_t terms_count() const { return remainder_.terms_count(); }

  // D modulo kept limb j.
  u64 divisor(std::size_t j) const { return divisors_[j]; }

  // The rows of one polynomial's dropped limbs, as `terms` expects them.
  ConstRows dropped_rows(const Buffer& x, std::size_t polynomial) const;
  // row = x + P y on a limb from `special` on, row not that of x; y may be null.
  void add(u64* row, const u64* x, const u64* y, std::size_t limb) const;
  // The terms of the remainders of some x, from evaluations or coefficients; a row of terms may be the row it comes
  // from.
  struct Dropped {
    Rows terms;
    ConstRows x;
  };
  void terms_of_evaluations(const std::vector<Dropped>& polynomials) const;
  void terms(u64* const* terms, const u64* const* x, std::size_t n) const { remainder_.terms(terms, x, n); }
  // The remainder in `count` kept limbs from number `first` on, in coefficients.
  void remainder(u64* const* out, const u64* const* terms, std::size_t first, std::size_t count, std::size_t n) const {
    remainder_.sums(out, terms, first, count, n);
  }
  // out = (x - remainder) / D on kept limb j, n coefficients.
  void divide(u64* out, const u64* x, const u64* remainder, std::size_t j, std::size_t n) const;
  // out = (x - remainder) / D + (P / D) y on evaluations; the remainder comes in coefficients and is transformed in
  // its place, y may be null.
  void divide_evaluations(u64* out, const u64* x, u64* remainder, const u64* y, std::size_t j) const;

 private:
  Division(const Basis& basis, std::size_t special, std::size_t start, std::size_t stop);

  std::size_t special_, start_, stop_;
  Limbs dropped_, kept_, summed_;  // summed: those from `special` on
  Conversion remainder_;           // dropped to kept primes
  std::vector<u64> divisors_;      // D mod q_j, kept
  std::vector<u64> inverses_;      // its inverse
  std::vector<u64> quotients_;     // P / D mod q_j, kept
  std::vector<u64> products_;      // P mod q_i, summed
};

// Every function throws std::invalid_argument when buffers do not fit the basis or one another.
Buffer divide_round_coeff(const Basis& basis, std::size_t start, std::size_t stop, const Buffer& x);
Buffer divide_round_eval(const Basis& basis, std::size_t start, std::size_t stop, const Buffer& x);
Buffer divide_round_sum(const Basis& basis, std::size_t special, std::size_t start, std::size_t stop, const Buffer& x,
                        const Buffer& y);

}  // namespace fhe

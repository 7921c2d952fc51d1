#include "keyswitch.hpp"

#include <algorithm>
#include <stdexcept>

#include "../pool/parallel.hpp"
#include "../ring/convert.hpp"
#include "../ring/rows.hpp"

namespace fhe {
namespace {

// The limbs start … stop-1 of P*Q_l, and how they are raised to all the others.
struct Digit {
  std::size_t start, stop;
  Conversion raise;

  bool owns(std::size_t limb) const { return start <= limb && limb < stop; }
  // The place of another limb among the targets of `raise`.
  std::size_t target(std::size_t limb) const { return limb < start ? limb : limb - (stop - start); }
};

using Digits = std::vector<Digit>;

const Digits& digits_of(const Basis& basis, const Operand& x) {
  if (x.digit == 0 || x.special >= basis.size())
    throw std::invalid_argument("digits of " + std::to_string(x.digit) + " limbs after " + std::to_string(x.special) +
                                " special ones in a basis of " + std::to_string(basis.size()));
  for (const Buffer* buffer : {&x.coeff, &x.evaluated})
    if (buffer->limbs() + x.special != basis.size() || buffer->ring_degree() != basis.ring_degree())
      throw std::invalid_argument(
          "a polynomial of (limbs, N) = " + to_string({buffer->limbs(), buffer->ring_degree()}) +
          " to decompose over a basis of " + to_string({basis.size(), basis.ring_degree()}) + ", " +
          std::to_string(x.special) + " limbs special");
  if (x.coeff.leading() != x.evaluated.leading())
    throw std::invalid_argument("coefficients of leading axes " + to_string(x.coeff.leading()) + ", evaluations of " +
                                to_string(x.evaluated.leading()));
  return basis.constants<Digits>({x.special, x.digit}, [&] {
    Digits digits;
    for (std::size_t start = x.special; start < basis.size(); start += x.digit) {
      const std::size_t stop = std::min(start + x.digit, basis.size());
      digits.push_back(
          {start, stop,
           Conversion(basis.limbs(start, stop), basis.without(start, stop), Representative::kOverflowing)});
    }
    return digits;
  });
}

// An operand with the terms of its digits: of limb i of polynomial p, terms[p * limbs + i].
class Decomposition {
 public:
  Decomposition(const Basis& basis, const Operand& x)
      : digits(digits_of(basis, x)), basis_(basis), x_(x), terms_(x.coeff.rows(), basis.ring_degree()) {
    for_each_limb(x.coeff.polynomials() * digits.size(), [&](std::size_t i) {
      const std::size_t polynomial = i / digits.size();
      const Digit& digit = digits[i % digits.size()];
      const ConstRows rows = rows_of(x.coeff, polynomial, digit.start - x.special, digit.stop - x.special);
      digit.raise.terms(terms(polynomial, digit), rows.data(), basis.ring_degree());
    });
  }

  // One limb of one digit in the evaluation domain, computed into `space` unless it is the digit's own.
  const u64* row(std::size_t polynomial, const Digit& digit, std::size_t limb, u64* space) const {
    if (digit.owns(limb)) return x_.evaluated.row(polynomial, limb - x_.special);
    digit.raise.sum()(&space, terms(polynomial, digit), digit.target(limb), 1, basis_.ring_degree());
    basis_.kernels(limb).ntt(space, space, basis_.tables(limb));
    return space;
  }

  const Digits& digits;

 private:
  u64* const* terms(std::size_t polynomial, const Digit& digit) const {
    return terms_.rows() + polynomial * x_.coeff.limbs() + (digit.start - x_.special);
  }

  const Basis& basis_;
  const Operand& x_;
  Scratch terms_;
};

Axes check_key(const Basis& basis, const Operand& x, std::size_t digits, const std::vector<Buffer>& key) {
  if (key.size() != digits)
    throw std::invalid_argument("a switching key of " + std::to_string(key.size()) + " digits for a polynomial of " +
                                std::to_string(digits));
  Axes leading = x.coeff.leading();
  for (const Buffer& part : key) {
    basis.check_prefix(part);
    leading = broadcast(leading, part.leading());
  }
  return leading;
}

// The rows of a key that meet output polynomial i.
ConstRows key_rows(const std::vector<Buffer>& key, std::size_t i, std::size_t limb) {
  ConstRows rows;
  for (const Buffer& part : key) rows.push_back(part.row(i % part.polynomials(), limb));
  return rows;
}

}  // namespace

std::vector<Buffer> decompose(const Basis& basis, const Operand& x) {
  const std::size_t N = basis.ring_degree();
  const Decomposition parts(basis, x);
  std::vector<Buffer> out;
  for (std::size_t j = 0; j < parts.digits.size(); ++j) out.emplace_back(x.coeff.leading(), basis.size(), N);
  for_each_limb(basis.size(), [&](std::size_t limb) {
    for (std::size_t i = 0; i < x.coeff.polynomials(); ++i) {
      for (std::size_t j = 0; j < out.size(); ++j) {
        u64* const row = out[j].row(i, limb);
        const u64* const computed = parts.row(i, parts.digits[j], limb, row);
        if (computed != row) std::copy_n(computed, N, row);
      }
    }
  });
  return out;
}

// Limb by limb, so that the digits of one prime are still in cache when they meet the key.
std::pair<Buffer, Buffer> key_switch(const Basis& basis, const Operand& x, const std::vector<Buffer>& key_b,
                                     const std::vector<Buffer>& key_a) {
  const std::size_t N = basis.ring_degree(), polynomials = x.coeff.polynomials();
  const Decomposition parts(basis, x);
  const std::size_t count = parts.digits.size();
  const Axes leading = broadcast(check_key(basis, x, count, key_b), check_key(basis, x, count, key_a));
  Buffer b(leading, basis.size(), N), a(leading, basis.size(), N);
  for_each_limb(basis.size(), [&](std::size_t limb) {
    const Scratch space(count, N);
    const Kernels& kernels = basis.kernels(limb);
    for (std::size_t p = 0; p < polynomials; ++p) {
      ConstRows digits;
      for (std::size_t j = 0; j < count; ++j) digits.push_back(parts.row(p, parts.digits[j], limb, space.row(j)));
      for (std::size_t i = p; i < b.polynomials(); i += polynomials) {
        const ConstRows rows_b = key_rows(key_b, i, limb), rows_a = key_rows(key_a, i, limb);
        kernels.inner_product(b.row(i, limb), digits.data(), rows_b.data(), count, N, basis.modulus(limb));
        kernels.inner_product(a.row(i, limb), digits.data(), rows_a.data(), count, N, basis.modulus(limb));
      }
    }
  });
  return {std::move(b), std::move(a)};
}

}  // namespace fhe

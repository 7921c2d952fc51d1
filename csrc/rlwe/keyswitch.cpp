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
  // The place of a limb, or of the next one that is not owned, among the targets of `raise`.
  std::size_t target(std::size_t limb) const { return limb < start ? limb : std::max(limb, stop) - (stop - start); }
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
      digits.push_back({start, stop, Conversion(basis.limbs(start, stop), basis.without(start, stop))});
    }
    return digits;
  });
}

// An operand with the terms of its digits.
class Decomposition {
 public:
  Decomposition(const Basis& basis, const Operand& x)
      : digits(digits_of(basis, x)),
        basis_(basis),
        x_(x),
        terms_(x.coeff.polynomials() * digits.size() * digits[0].raise.terms_count(), basis.ring_degree()) {
    for_each_limb(x.coeff.polynomials() * digits.size(), 4 * x.digit * basis.ring_degree(), [&](std::size_t i) {
      const std::size_t polynomial = i / digits.size();
      const Digit& digit = digits[i % digits.size()];
      const ConstRows rows = rows_of(x.coeff, polynomial, digit.start - x.special, digit.stop - x.special);
      digit.raise.terms(terms(polynomial, digit), rows.data(), basis.ring_degree());
    });
  }

  // Some limbs of a digit, start + k in coefficients in rows[k], but for those that the digit owns.
  void raise(std::size_t polynomial, const Digit& digit, std::size_t start, const Rows& rows) const {
    Rows raised;
    for (std::size_t k = 0; k < rows.size(); ++k)
      if (!digit.owns(start + k)) raised.push_back(rows[k]);
    if (raised.empty()) return;
    digit.raise.sum()(raised.data(), terms(polynomial, digit), digit.target(start), raised.size(),
                      basis_.ring_degree());
  }

  // A limb of a digit in the evaluation domain: its own, or what `raise` left in `row`, transformed in place.
  const u64* evaluate(std::size_t polynomial, const Digit& digit, std::size_t limb, u64* row) const {
    if (digit.owns(limb)) return x_.evaluated.row(polynomial, limb - x_.special);
    basis_.kernels(limb).ntt(row, row, basis_.tables(limb));
    return row;
  }

  const Digits& digits;

 private:
  // The rows of a digit's terms: room for those of the first, which is the longest, for each.
  u64* const* terms(std::size_t polynomial, const Digit& digit) const {
    const std::size_t j = (digit.start - x_.special) / x_.digit;
    return terms_.rows() + (polynomial * digits.size() + j) * digits[0].raise.terms_count();
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

// Row (polynomial, limb) of out: the inner product of the digits' rows with those of a key.
void multiply_accumulate(const Basis& basis, Buffer& out, std::size_t polynomial, std::size_t limb,
                         const ConstRows& digits, const std::vector<Buffer>& key) {
  ConstRows rows;
  for (const Buffer& part : key) rows.push_back(part.row(polynomial % part.polynomials(), limb));
  basis.kernels(limb).inner_product(out.row(polynomial, limb), digits.data(), rows.data(), digits.size(),
                                    basis.ring_degree(), basis.modulus(limb));
}

}  // namespace

std::vector<Buffer> decompose(const Basis& basis, const Operand& x) {
  const std::size_t N = basis.ring_degree();
  const Decomposition parts(basis, x);
  std::vector<Buffer> out;
  for (std::size_t j = 0; j < parts.digits.size(); ++j) out.emplace_back(x.coeff.leading(), basis.size(), N);
  for_each_group(basis.size(), kTargetsAtOnce, kTransform * out.size() * N, [&](std::size_t start, std::size_t count) {
    for (std::size_t i = 0; i < x.coeff.polynomials(); ++i) {
      for (std::size_t j = 0; j < out.size(); ++j) {
        const Rows rows = rows_of(out[j], i, start, start + count);
        parts.raise(i, parts.digits[j], start, rows);
        for (std::size_t k = 0; k < count; ++k) {
          const u64* const row = parts.evaluate(i, parts.digits[j], start + k, rows[k]);
          if (row != rows[k]) std::copy_n(row, N, rows[k]);
        }
      }
    }
  });
  return out;
}

// Some limbs at a time, so that the digits are still in cache when they meet the key.
std::pair<Buffer, Buffer> key_switch(const Basis& basis, const Operand& x, const std::vector<Buffer>& key_b,
                                     const std::vector<Buffer>& key_a) {
  const std::size_t N = basis.ring_degree(), polynomials = x.coeff.polynomials();
  const Decomposition parts(basis, x);
  const std::size_t digits = parts.digits.size();
  const Axes leading = broadcast(check_key(basis, x, digits, key_b), check_key(basis, x, digits, key_a));
  Buffer b(leading, basis.size(), N), a(leading, basis.size(), N);
  for_each_group(basis.size(), kTargetsAtOnce, kTransform * digits * N, [&](std::size_t start, std::size_t count) {
    const Scratch space(digits * count, N);
    for (std::size_t p = 0; p < polynomials; ++p) {
      for (std::size_t j = 0; j < digits; ++j)
        parts.raise(p, parts.digits[j], start, Rows(space.rows() + j * count, space.rows() + (j + 1) * count));
      for (std::size_t k = 0; k < count; ++k) {
        const std::size_t limb = start + k;
        ConstRows rows;
        for (std::size_t j = 0; j < digits; ++j)
          rows.push_back(parts.evaluate(p, parts.digits[j], limb, space.row(j * count + k)));
        for (std::size_t i = p; i < b.polynomials(); i += polynomials) {
          multiply_accumulate(basis, b, i, limb, rows, key_b);
          multiply_accumulate(basis, a, i, limb, rows, key_a);
        }
      }
    }
  });
  return {std::move(b), std::move(a)};
}

}  // namespace fhe

#include "keyswitch.hpp"

#include <algorithm>
#include <stdexcept>

#include "../pool/parallel.hpp"
#include "../ring/division.hpp"

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
  for (const Buffer* buffer : {x.coeff == nullptr ? &x.evaluated : x.coeff, &x.evaluated})
    if (buffer->limbs() + x.special != basis.size() || buffer->ring_degree() != basis.ring_degree())
      throw std::invalid_argument(
          "a polynomial of (limbs, N) = " + to_string({buffer->limbs(), buffer->ring_degree()}) +
          " to decompose over a basis of " + to_string({basis.size(), basis.ring_degree()}) + ", " +
          std::to_string(x.special) + " limbs special");
  if (x.coeff != nullptr && x.coeff->leading() != x.evaluated.leading())
    throw std::invalid_argument("coefficients of leading axes " + to_string(x.coeff->leading()) + ", evaluations of " +
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
        terms_(x.evaluated.polynomials() * digits.size() * digits[0].raise.terms_count(), basis.ring_degree()) {
    const std::size_t N = basis.ring_degree(), limbs = basis.size() - x.special;
    if (x.coeff == nullptr) {
      for_each_limb(x.evaluated.polynomials() * limbs, kTransform * N, [&](std::size_t i) {
        const std::size_t polynomial = i / limbs, limb = i % limbs, digit = limb / x.digit;
        basis.kernels(x.special + limb)
            .intt(terms(polynomial, digits[digit])[limb % x.digit], x.evaluated.row(polynomial, limb),
                  basis.tables(x.special + limb));
      });
    }
    const std::size_t count = digits[0].raise.terms_count(), passes = 4 * x.evaluated.polynomials() * limbs;
    for_each_block(N, cached_block(count), passes, [&](std::size_t offset, std::size_t size) {
      for (std::size_t polynomial = 0; polynomial < x.evaluated.polynomials(); ++polynomial)
        for (const Digit& digit : digits) scale(polynomial, digit, offset, size);
    });
  }

  // Some limbs of a digit, start + k in coefficients in rows[k], but for those that the digit owns.
  void raise(std::size_t polynomial, const Digit& digit, std::size_t start, const Rows& rows) const {
    Rows raised;
    for (std::size_t k = 0; k < rows.size(); ++k)
      if (!digit.owns(start + k)) raised.push_back(rows[k]);
    if (raised.empty()) return;
    digit.raise.sums(raised.data(), terms(polynomial, digit), digit.target(start), raised.size(), basis_.ring_degree());
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

  // The terms of a digit on some coefficients.
  void scale(std::size_t polynomial, const Digit& digit, std::size_t offset, std::size_t size) const {
    u64* const* const rows = terms(polynomial, digit);
    const std::size_t start = digit.start - x_.special, stop = digit.stop - x_.special;
    const Rows to = advanced(Rows(rows, rows + digit.raise.terms_count()), offset);
    const ConstRows from =
        x_.coeff == nullptr ? ConstRows(to.begin(), to.end()) : rows_of(*x_.coeff, polynomial, start, stop, offset);
    digit.raise.terms(to.data(), from.data(), size);
  }

  const Basis& basis_;
  const Operand& x_;
  Scratch terms_;
};

// A limb of both halves of the inner product of digits with a key.
void key_product_row(const Basis& basis, std::size_t limb, const ConstRows& digits, const PackedKey& key, u64* b,
                     u64* a) {
  basis.kernels(limb).key_product(b, a, digits.data(), digits.size(), key.rows_of(limb), basis.ring_degree(),
                                  basis.modulus(limb));
}

// Limbs of all digits that are raised in one go: the terms are read once for all of them, and their rows should still
// be in the second-level cache when they meet the key. Measured from N = 2^13 to 2^15: 1 and 8 cost a tenth more.
constexpr std::size_t kLimbsAtOnce = 2;

// What switches the limbs of polynomials, some at a time so that the digits are still in cache when they meet the key.
class Switch {
 public:
  Switch(const Basis& basis, const Operand& x, const PackedKey& key) : digits_(basis, x), basis_(basis), key_(key) {
    key.check(basis, digits_.digits.size());
  }

  // body(start, count) for some limbs at a time, of those from `start` to before `stop`.
  template <class Body>
  void each_group(std::size_t start, std::size_t stop, const Body& body) const {
    const std::size_t passes = kTransform * digits_.digits.size() * basis_.ring_degree();
    for_each_group(stop - start, kLimbsAtOnce, passes,
                   [&](std::size_t first, std::size_t count) { body(start + first, count); });
  }
  // body(limb, rows of the digits) for `count` limbs from `start` on of polynomial p, on this thread.
  template <class Body>
  void limbs(std::size_t p, std::size_t start, std::size_t count, const Body& body) const {
    const std::size_t digits = digits_.digits.size();
    const Scratch space(digits * count, basis_.ring_degree());
    for (std::size_t j = 0; j < digits; ++j)
      digits_.raise(p, digits_.digits[j], start, Rows(space.rows() + j * count, space.rows() + (j + 1) * count));
    ConstRows rows(digits);
    for (std::size_t limb = start; limb < start + count; ++limb) {
      for (std::size_t j = 0; j < digits; ++j)
        rows[j] = digits_.evaluate(p, digits_.digits[j], limb, space.row(j * count + limb - start));
      body(limb, rows);
    }
  }

  // A limb of both halves, from the rows of the digits.
  void multiply(std::size_t limb, const ConstRows& rows, u64* b, u64* a) const {
    key_product_row(basis_, limb, rows, key_, b, a);
  }

 private:
  const Decomposition digits_;
  const Basis& basis_;
  const PackedKey& key_;
};

}  // namespace

std::vector<Buffer> decompose(const Basis& basis, const Operand& x) {
  const std::size_t N = basis.ring_degree();
  const Decomposition parts(basis, x);
  std::vector<Buffer> out;
  for (std::size_t j = 0; j < parts.digits.size(); ++j) out.emplace_back(x.evaluated.leading(), basis.size(), N);
  for_each_group(basis.size(), kTargetsAtOnce, kTransform * out.size() * N, [&](std::size_t start, std::size_t count) {
    for (std::size_t i = 0; i < x.evaluated.polynomials(); ++i) {
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

std::pair<Buffer, Buffer> key_product(const Basis& basis, const std::vector<Buffer>& digits, const PackedKey& key) {
  key.check(basis, digits.size());
  if (digits.empty()) throw std::invalid_argument("a product of 0 digits with a switching key");
  const Axes& leading = digits[0].leading();
  for (const Buffer& digit : digits) {
    basis.check(digit);
    if (digit.leading() != leading)
      throw std::invalid_argument("digits of leading axes " + to_string(leading) + " and " +
                                  to_string(digit.leading()));
  }
  Buffer b(leading, basis.size(), basis.ring_degree()), a(leading, basis.size(), basis.ring_degree());
  for_each_limb(basis.size(), 4 * digits.size() * b.polynomials() * basis.ring_degree(), [&](std::size_t limb) {
    for (std::size_t p = 0; p < b.polynomials(); ++p) {
      ConstRows rows;
      for (const Buffer& digit : digits) rows.push_back(digit.row(p, limb));
      key_product_row(basis, limb, rows, key, b.row(p, limb), a.row(p, limb));
    }
  });
  return {std::move(b), std::move(a)};
}

std::pair<Buffer, Buffer> key_switch(const Basis& basis, const Operand& x, const PackedKey& key) {
  const Switch by(basis, x, key);
  const Axes& leading = x.evaluated.leading();
  Buffer b(leading, basis.size(), basis.ring_degree()), a(leading, basis.size(), basis.ring_degree());
  by.each_group(0, basis.size(), [&](std::size_t start, std::size_t count) {
    for (std::size_t p = 0; p < b.polynomials(); ++p)
      by.limbs(p, start, count, [&](std::size_t limb, const ConstRows& rows) {
        by.multiply(limb, rows, b.row(p, limb), a.row(p, limb));
      });
  });
  return {std::move(b), std::move(a)};
}

namespace {

void check_addends(const Basis& basis, const Operand& x, const std::vector<Buffer>& addends) {
  const Axes& leading = x.evaluated.leading();
  if (addends.size() > 2) throw std::invalid_argument(std::to_string(addends.size()) + " addends to two halves");
  for (const Buffer& y : addends)
    if (y.limbs() + x.special != basis.size() || y.ring_degree() != basis.ring_degree() || y.leading() != leading)
      throw std::invalid_argument("an addend of (leading…, limbs, N) = " + to_string(y.leading()) +
                                  to_string({y.limbs(), y.ring_degree()}) + " beside " + to_string(leading) +
                                  to_string({basis.size() - x.special, basis.ring_degree()}));
}

// One half of a switched polynomial on its way through the division: its addend, its terms, and where it goes.
struct Half {
  const Buffer* addend;
  const Scratch terms;
  Buffer& out;

  const u64* added(std::size_t p, std::size_t limb) const { return addend == nullptr ? nullptr : addend->row(p, limb); }
};

// The dropped limbs of both halves, the special ones and those from `stop` on, and their terms.
void switch_dropped(const Switch& by, const Division& division, const Operand& x, std::size_t p, std::size_t stop,
                    std::size_t size, const Half (&halves)[2]) {
  const std::size_t N = x.evaluated.ring_degree(), special = x.special;
  const auto switch_limb = [&](std::size_t limb, const ConstRows& rows) {
    if (limb < special) return by.multiply(limb, rows, halves[0].terms.row(limb), halves[1].terms.row(limb));
    const Scratch switched(2, N);
    by.multiply(limb, rows, switched.row(0), switched.row(1));
    for (int k = 0; k < 2; ++k)
      division.add(halves[k].terms.row(special + limb - stop), switched.row(k), halves[k].added(p, limb - special),
                   limb);
  };
  by.each_group(0, special + size - stop, [&](std::size_t first, std::size_t count) {
    const std::size_t end = first + count, before = std::min(end, special), after = std::max(first, special);
    if (first < before) by.limbs(p, first, before - first, switch_limb);
    if (after < end) by.limbs(p, stop + after - special, end - after, switch_limb);
  });
  const auto dropped = [&](const Half& half) {
    return Division::Dropped{half.terms.all(), {half.terms.rows(), half.terms.rows() + division.dropped()}};
  };
  division.terms_of_evaluations({dropped(halves[0]), dropped(halves[1])});
}

// The kept limbs of both halves, divided as soon as they are switched.
void switch_kept(const Switch& by, const Division& division, const Operand& x, std::size_t p, std::size_t stop,
                 const Half (&halves)[2]) {
  const std::size_t N = x.evaluated.ring_degree(), special = x.special;
  by.each_group(special, stop, [&](std::size_t start, std::size_t count) {
    by.limbs(p, start, count, [&](std::size_t limb, const ConstRows& rows) {
      by.multiply(limb, rows, halves[0].out.row(p, limb - special), halves[1].out.row(p, limb - special));
    });
    const Scratch remainders(count, N);
    for (const Half& half : halves) {
      division.remainder(remainders.rows(), half.terms.rows(), start - special, count, N);
      for (std::size_t k = 0; k < count; ++k) {
        const std::size_t j = start - special + k;
        u64* const row = half.out.row(p, j);
        division.divide_evaluations(row, row, remainders.row(k), half.added(p, j), j);
      }
    }
  });
}

}  // namespace

std::pair<Buffer, Buffer> switch_down(const Basis& basis, const Operand& x, const PackedKey& key, std::size_t stop,
                                      const std::vector<Buffer>& addends) {
  check_addends(basis, x, addends);
  const Division& division = Division::of(basis, x.special, x.special, stop);
  if (division.dropped() == 0)
    throw std::invalid_argument("all of " + std::to_string(stop) + " limbs are kept: there is nothing to divide by");
  const std::size_t N = basis.ring_degree(), count = division.terms_count();
  const auto addend = [&](std::size_t half) { return half < addends.size() ? &addends[half] : nullptr; };
  const Switch by(basis, x, key);
  const Axes& leading = x.evaluated.leading();
  Buffer b(leading, stop - x.special, N), a(leading, stop - x.special, N);
  const Half halves[2] = {{addend(0), Scratch(count, N), b}, {addend(1), Scratch(count, N), a}};
  for (std::size_t p = 0; p < x.evaluated.polynomials(); ++p) {
    switch_dropped(by, division, x, p, stop, basis.size(), halves);
    switch_kept(by, division, x, p, stop, halves);
  }
  return {std::move(b), std::move(a)};
}

}  // namespace fhe

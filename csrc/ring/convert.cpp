#include "convert.hpp"

#include <algorithm>
#include <stdexcept>

#include "../pool/parallel.hpp"
#include "rows.hpp"

namespace fhe {
namespace {

// The product of the primes but one (or none, `except` = source.size()) modulo p.
u64 product_except(const Limbs& source, std::size_t except, const Modulus& p) {
  u64 result = 1;
  for (std::size_t i = 0; i < source.size(); ++i)
    if (i != except) result = p.mul(result, p.reduce(source[i]->q.value));
  return result;
}

u64 inverse_of_product(const Limbs& source, std::size_t except, const Modulus& p) {
  const u64 product = product_except(source, except, p);
  if (product == 0) throw std::invalid_argument("prime " + std::to_string(p.value) + " occurs twice");
  return p.inverse(product);
}

}  // namespace

std::size_t cached_block(std::size_t rows) {
  std::size_t block = 8192;
  while (block > 256 && rows * block > (std::size_t{1} << 15)) block /= 2;
  return block;
}

Conversion::Conversion(const Limbs& source, const Limbs& target)
    : sum_(target, source.size() + 1, [&](const Modulus& p, std::size_t i) {
        const u64 weight = product_except(source, i, p);
        return i == source.size() ? p.neg(weight) : weight;
      }) {
  for (std::size_t i = 0; i < source.size(); ++i) {
    const Modulus& q = source[i]->q;
    source_.push_back({q, source[i]->kernels, inverse_of_product(source, i, q)});
    reciprocals_.push_back(1.0 / static_cast<double>(q.value));
  }
}

void Conversion::terms(u64* const* terms, const u64* const* x, std::size_t n) const {
  const std::size_t inputs = source_.size();
  for_each_block(n, cached_block(terms_count()), 4 * inputs, [&](std::size_t offset, std::size_t size) {
    ConstRows y;
    for (std::size_t i = 0; i < inputs; ++i) {
      source_[i].kernels->mul_scalar(terms[i] + offset, x[i] + offset, source_[i].inverse, size, source_[i].q);
      y.push_back(terms[i] + offset);
    }
    source_[0].kernels->quotient(terms[inputs] + offset, y.data(), reciprocals_.data(), inputs, size);
  });
}

namespace {

// out = the conversion of x to all of its targets, block by block.
void convert_rows(const Conversion& conversion, const ConstRows& x, const Rows& out, std::size_t n) {
  const std::size_t count = conversion.terms_count();
  for_each_block(n, cached_block(count), count * out.size(), [&](std::size_t offset, std::size_t size) {
    const Scratch terms(count, size);
    ConstRows from = x;
    Rows to = out;
    for (auto& row : from) row += offset;
    for (auto& row : to) row += offset;
    conversion.terms(terms.rows(), from.data(), size);
    conversion.sum()(to.data(), terms.rows(), 0, conversion.sum().outputs(), size);
  });
}

}  // namespace

Buffer convert(const Basis& source, const Basis& target, const Buffer& x) {
  source.check(x);
  if (target.ring_degree() != source.ring_degree())
    throw std::invalid_argument("a conversion from ring degree " + std::to_string(source.ring_degree()) + " to " +
                                std::to_string(target.ring_degree()));
  std::vector<u64> key;
  for (std::size_t i = 0; i < target.size(); ++i) key.push_back(target.modulus(i).value);
  const auto& conversion = source.constants<Conversion>(
      key, [&] { return Conversion(source.limbs(0, source.size()), target.limbs(0, target.size())); });
  Buffer out(x.leading(), target.size(), target.ring_degree());
  for (std::size_t i = 0; i < x.polynomials(); ++i)
    convert_rows(conversion, rows_of(x, i, 0, x.limbs()), rows_of(out, i, 0, out.limbs()), x.ring_degree());
  return out;
}

namespace {

// Division by D, the product of the primes outside of start … stop-1.
struct Division {
  Conversion remainder;       // dropped to kept primes
  std::vector<u64> inverses;  // D^-1 mod q_j
};

const Division& division(const Basis& basis, std::size_t start, std::size_t stop) {
  if (start >= stop || stop > basis.size())
    throw std::invalid_argument("can not keep the limbs " + std::to_string(start) + " to " + std::to_string(stop) +
                                " of " + std::to_string(basis.size()));
  return basis.constants<Division>({start, stop}, [&] {
    const Limbs dropped = basis.without(start, stop), kept = basis.limbs(start, stop);
    std::vector<u64> inverses;
    for (const NttTables* tables : kept) inverses.push_back(inverse_of_product(dropped, dropped.size(), tables->q));
    return Division{Conversion(dropped, kept), std::move(inverses)};
  });
}

ConstRows dropped_rows(const Buffer& x, std::size_t polynomial, std::size_t start, std::size_t stop) {
  ConstRows rows = rows_of(x, polynomial, 0, start);
  for (const u64* row : rows_of(x, polynomial, stop, x.limbs())) rows.push_back(row);
  return rows;
}

// terms = those of the dropped rows of one polynomial, brought to coefficients first.
void dropped_terms(const Basis& basis, const Limbs& dropped, const Conversion& remainder, const ConstRows& x,
                   const Scratch& terms) {
  for_each_limb(dropped.size(), kTransform * basis.ring_degree(),
                [&](std::size_t i) { dropped[i]->kernels->intt(terms.row(i), x[i], *dropped[i]); });
  remainder.terms(terms.rows(), terms.rows(), basis.ring_degree());
}

// P y, added to a dividend x on the limbs from `special` on, P the product of those before.
struct Addend {
  std::vector<u64> product;   // P mod q_i of every limb from `special` on
  std::vector<u64> quotient;  // P / D mod q_j of the kept ones
};

const Addend& addend_of(const Basis& basis, std::size_t special, std::size_t stop) {
  return basis.constants<Addend>({special, stop}, [&] {
    const Limbs before = basis.limbs(0, special), after = basis.limbs(stop, basis.size());
    Addend addend;
    for (std::size_t i = special; i < basis.size(); ++i)
      addend.product.push_back(product_except(before, special, basis.modulus(i)));
    for (std::size_t j = special; j < stop; ++j)
      addend.quotient.push_back(inverse_of_product(after, after.size(), basis.modulus(j)));
    return addend;
  });
}

// out = out + w y, with a row of scratch memory.
void add_product(const Basis& basis, std::size_t limb, u64* out, const u64* y, u64 w, u64* space) {
  basis.kernels(limb).mul_scalar(space, y, w, basis.ring_degree(), basis.modulus(limb));
  basis.kernels(limb).add(out, out, space, basis.ring_degree(), basis.modulus(limb));
}

// round((x + P y) / D), or without y round(x / D), on evaluations.
Buffer divide_evaluations(const Basis& basis, std::size_t start, std::size_t stop, const Buffer& x, const Buffer* y) {
  const Division& by = division(basis, start, stop);
  const Addend* const addend = y == nullptr ? nullptr : &addend_of(basis, start, stop);
  const std::size_t N = basis.ring_degree();
  const Limbs dropped = basis.without(start, stop);
  const Scratch terms(by.remainder.terms_count(), N);
  Buffer out(x.leading(), stop - start, N);
  for (std::size_t i = 0; i < x.polynomials(); ++i) {
    ConstRows rows = dropped_rows(x, i, start, stop);
    for (std::size_t limb = stop; addend != nullptr && limb < basis.size(); ++limb) {
      const std::size_t k = start + limb - stop;
      std::copy_n(rows[k], N, terms.row(k));
      add_product(basis, limb, terms.row(k), y->row(i, limb - start), addend->product[limb - start], out.row(i, 0));
      rows[k] = terms.row(k);
    }
    dropped_terms(basis, dropped, by.remainder, rows, terms);
    for_each_group(out.limbs(), kTargetsAtOnce, kTransform * N, [&](std::size_t first, std::size_t count) {
      const Scratch space(addend == nullptr ? 0 : 1, N);
      by.remainder.sum()(rows_of(out, i, first, first + count).data(), terms.rows(), first, count, N);
      for (std::size_t j = first; j < first + count; ++j) {
        u64* const row = out.row(i, j);
        const Kernels& kernels = basis.kernels(start + j);
        kernels.ntt(row, row, basis.tables(start + j));
        kernels.sub_mul_scalar(row, x.row(i, start + j), row, by.inverses[j], N, basis.modulus(start + j));
        if (addend != nullptr) add_product(basis, start + j, row, y->row(i, j), addend->quotient[j], space.row(0));
      }
    });
  }
  return out;
}

}  // namespace

Buffer divide_round_coeff(const Basis& basis, std::size_t start, std::size_t stop, const Buffer& x) {
  basis.check(x);
  const Division& by = division(basis, start, stop);
  if (stop - start == basis.size()) return x;
  const std::size_t N = basis.ring_degree();
  Buffer out(x.leading(), stop - start, N);
  for (std::size_t i = 0; i < x.polynomials(); ++i) {
    convert_rows(by.remainder, dropped_rows(x, i, start, stop), rows_of(out, i, 0, out.limbs()), N);
    for_each_limb(out.limbs(), 4 * N, [&](std::size_t j) {
      basis.kernels(start + j).sub_mul_scalar(out.row(i, j), x.row(i, start + j), out.row(i, j), by.inverses[j], N,
                                              basis.modulus(start + j));
    });
  }
  return out;
}

Buffer divide_round_eval(const Basis& basis, std::size_t start, std::size_t stop, const Buffer& x) {
  basis.check(x);
  division(basis, start, stop);
  return stop - start == basis.size() ? x : divide_evaluations(basis, start, stop, x, nullptr);
}

Buffer divide_round_sum(const Basis& basis, std::size_t special, std::size_t stop, const Buffer& x, const Buffer& y) {
  basis.check(x);
  if (special == 0 || special >= basis.size() || y.limbs() + special != basis.size() ||
      y.ring_degree() != basis.ring_degree() || y.leading() != x.leading())
    throw std::invalid_argument("an addend of (leading…, limbs, N) = " + to_string(y.leading()) +
                                to_string({y.limbs(), y.ring_degree()}) + " beside " + to_string(x.leading()) +
                                to_string({x.limbs(), x.ring_degree()}) + ", " + std::to_string(special) +
                                " limbs special");
  return divide_evaluations(basis, special, stop, x, &y);
}

}  // namespace fhe

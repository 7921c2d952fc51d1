#include "division.hpp"

#include <algorithm>
#include <stdexcept>

#include "../pool/parallel.hpp"

namespace fhe {
namespace {

u64 product_modulo(const Limbs& limbs, const Modulus& p) {
  u64 result = 1;
  for (const NttTables* tables : limbs) result = p.mul(result, p.reduce(tables->q.value));
  return result;
}

}  // namespace

Division::Division(const Basis& basis, std::size_t special, std::size_t start, std::size_t stop)
    : special_(special),
      start_(start),
      stop_(stop),
      dropped_(basis.without(start, stop)),
      kept_(basis.limbs(start, stop)),
      summed_(basis.limbs(special, basis.size())),
      remainder_(dropped_, kept_) {
  const Limbs before = basis.limbs(0, special);
  for (const NttTables* tables : summed_) products_.push_back(product_modulo(before, tables->q));
  for (const NttTables* tables : kept_) {
    const Modulus& q = tables->q;
    const u64 D = product_modulo(dropped_, q);
    if (D == 0) throw std::invalid_argument("prime " + std::to_string(q.value) + " occurs twice");
    divisors_.push_back(D);
    inverses_.push_back(q.inverse(D));
    quotients_.push_back(q.mul(inverses_.back(), product_modulo(before, q)));
  }
}

const Division& Division::of(const Basis& basis, std::size_t special, std::size_t start, std::size_t stop) {
  if (special > start || start >= stop || stop > basis.size())
    throw std::invalid_argument("can not keep the limbs " + std::to_string(start) + " to " + std::to_string(stop) +
                                " of " + std::to_string(basis.size()) + ", " + std::to_string(special) + " special");
  return basis.constants<Division>({special, start, stop}, [&] { return Division(basis, special, start, stop); });
}

ConstRows Division::dropped_rows(const Buffer& x, std::size_t polynomial) const {
  ConstRows rows = rows_of(x, polynomial, 0, start_);
  for (const u64* row : rows_of(x, polynomial, stop_, x.limbs())) rows.push_back(row);
  return rows;
}

void Division::add(u64* row, const u64* x, const u64* y, std::size_t limb) const {
  const NttTables& tables = *summed_[limb - special_];
  if (y == nullptr) {
    std::copy_n(x, tables.ring_degree, row);
    return;
  }
  tables.kernels->mul_scalar(row, y, products_[limb - special_], tables.ring_degree, tables.q);
  tables.kernels->add(row, row, x, tables.ring_degree, tables.q);
}

void Division::terms_of_evaluations(const std::vector<Dropped>& polynomials) const {
  const std::size_t N = kept_[0]->ring_degree, limbs = dropped_.size(), count = terms_count();
  for_each_limb(polynomials.size() * limbs, kTransform * N, [&](std::size_t i) {
    const auto& [terms, x] = polynomials[i / limbs];
    const NttTables& tables = *dropped_[i % limbs];
    tables.kernels->intt(terms[i % limbs], x[i % limbs], tables);
  });
  for_each_block(N, cached_block(count), 4 * count * polynomials.size(), [&](std::size_t offset, std::size_t size) {
    for (const Dropped& polynomial : polynomials) {
      const Rows terms = advanced(polynomial.terms, offset);
      remainder_.terms(terms.data(), terms.data(), size);
    }
  });
}

void Division::divide(u64* out, const u64* x, const u64* remainder, std::size_t j, std::size_t n) const {
  kept_[j]->kernels->sub_mul_scalar(out, x, remainder, inverses_[j], n, kept_[j]->q);
}

void Division::divide_evaluations(u64* out, const u64* x, u64* remainder, const u64* y, std::size_t j) const {
  const NttTables& tables = *kept_[j];
  tables.kernels->ntt(remainder, remainder, tables);
  if (y == nullptr) return divide(out, x, remainder, j, tables.ring_degree);
  tables.kernels->sub_mul_scalar_add(out, x, remainder, inverses_[j], y, quotients_[j], tables.ring_degree, tables.q);
}

namespace {

// round((x + P y) / D), or without y round(x / D), on evaluations.
Buffer divide_all(const Basis& basis, std::size_t special, std::size_t start, std::size_t stop, const Buffer& x,
                  const Buffer* y) {
  const Division& by = Division::of(basis, special, start, stop);
  const std::size_t N = basis.ring_degree();
  const Scratch terms(by.terms_count(), N);
  Buffer out(x.leading(), stop - start, N);
  for (std::size_t i = 0; i < x.polynomials(); ++i) {
    const auto addend = [&](std::size_t limb) {
      return y == nullptr || limb < special ? nullptr : y->row(i, limb - special);
    };
    ConstRows rows = by.dropped_rows(x, i);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const std::size_t limb = k < start ? k : k - start + stop;
      if (addend(limb) == nullptr) continue;
      by.add(terms.row(k), rows[k], addend(limb), limb);
      rows[k] = terms.row(k);
    }
    by.terms_of_evaluations({{terms.all(), std::move(rows)}});
    for_each_group(out.limbs(), kTargetsAtOnce, kTransform * N, [&](std::size_t first, std::size_t count) {
      const Rows remainders = rows_of(out, i, first, first + count);
      by.remainder(remainders.data(), terms.rows(), first, count, N);
      for (std::size_t j = first; j < first + count; ++j)
        by.divide_evaluations(out.row(i, j), x.row(i, start + j), remainders[j - first], addend(start + j), j);
    });
  }
  return out;
}

}  // namespace

Buffer divide_round_coeff(const Basis& basis, std::size_t start, std::size_t stop, const Buffer& x) {
  basis.check(x);
  const Division& by = Division::of(basis, start, start, stop);
  if (stop - start == basis.size()) return x;
  const std::size_t N = basis.ring_degree(), count = by.terms_count();
  Buffer out(x.leading(), stop - start, N);
  for (std::size_t i = 0; i < x.polynomials(); ++i) {
    const ConstRows dropped = by.dropped_rows(x, i);
    for_each_block(N, cached_block(count), count * out.limbs(), [&](std::size_t offset, std::size_t size) {
      const Scratch terms(count, size);
      const Rows rows = rows_of(out, i, 0, out.limbs(), offset);
      by.terms(terms.rows(), advanced(dropped, offset).data(), size);
      by.remainder(rows.data(), terms.rows(), 0, rows.size(), size);
      for (std::size_t j = 0; j < rows.size(); ++j) by.divide(rows[j], x.row(i, start + j) + offset, rows[j], j, size);
    });
  }
  return out;
}

Buffer divide_round_eval(const Basis& basis, std::size_t start, std::size_t stop, const Buffer& x) {
  basis.check(x);
  Division::of(basis, start, start, stop);
  return stop - start == basis.size() ? x : divide_all(basis, start, start, stop, x, nullptr);
}

Buffer divide_round_sum(const Basis& basis, std::size_t special, std::size_t start, std::size_t stop, const Buffer& x,
                        const Buffer& y) {
  basis.check(x);
  if (special == 0 || special >= basis.size() || y.limbs() + special != basis.size() ||
      y.ring_degree() != basis.ring_degree() || y.leading() != x.leading())
    throw std::invalid_argument("an addend of (leading…, limbs, N) = " + to_string(y.leading()) +
                                to_string({y.limbs(), y.ring_degree()}) + " beside " + to_string(x.leading()) +
                                to_string({x.limbs(), x.ring_degree()}) + ", " + std::to_string(special) +
                                " limbs special");
  return divide_all(basis, special, start, stop, x, &y);
}

}  // namespace fhe

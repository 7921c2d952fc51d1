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

Terms::Terms(const Limbs& source, const std::vector<u64>& scale) {
  for (std::size_t i = 0; i < source.size(); ++i) {
    const Modulus& q = source[i]->q;
    const u64 inverse = inverse_of_product(source, i, q);
    source_.push_back({q, source[i]->kernels, scale.empty() ? inverse : q.mul(scale[i], inverse)});
    reciprocals_.push_back(1.0 / static_cast<double>(q.value));
  }
}

void Terms::operator()(u64* const* terms, const u64* const* x, std::size_t n, double* rest) const {
  const std::size_t inputs = source_.size();
  for_each_block(n, cached_block(count()), 4 * inputs, [&](std::size_t offset, std::size_t size) {
    ConstRows y;
    for (std::size_t i = 0; i < inputs; ++i) {
      source_[i].kernels->mul_scalar(terms[i] + offset, x[i] + offset, source_[i].factor, size, source_[i].q);
      y.push_back(terms[i] + offset);
    }
    source_[0].kernels->quotient(terms[inputs] + offset, rest == nullptr ? nullptr : rest + offset, y.data(),
                                 reciprocals_.data(), inputs, size);
  });
}

Conversion::Conversion(const Limbs& source, const Limbs& target, const std::vector<u64>& before,
                       const std::vector<u64>& after)
    : terms_(source, before),
      half_(source.size() == 1 && before.empty() ? source[0]->q.value / 2 : 0),
      after_(after),
      sums_(target, single() ? 1 : source.size() + 1, [&](const Modulus& p, std::size_t i) {
        const u64 weight = product_except(source, i, p);
        return i == source.size() ? p.neg(weight) : weight;
      }) {
  if (!after.empty()) sums_.scale(after);
}

void Conversion::terms(u64* const* terms, const u64* const* x, std::size_t n) const {
  single() ? terms_.shift(terms[0], x[0], half_, n) : terms_(terms, x, n);
}

// Of a single prime the term less (q-1)/2 is a signed word that mostly needs no reduction.
void Conversion::sums(u64* const* out, const u64* const* terms, std::size_t first, std::size_t count,
                      std::size_t n) const {
  if (!single()) return sums_(out, terms, first, count, n);
  for (std::size_t k = 0; k < count; ++k) {
    const auto& [p, kernels] = sums_.prime(first + k);
    const u64 factor = after_.empty() ? 1 : after_[first + k];
    if (half_ < p.value) {
      kernels->from_signed(out[k], terms[0], half_, n, p);
      if (factor != 1) kernels->mul_scalar(out[k], out[k], factor, n, p);
    } else {
      sums_(out + k, terms, first + k, 1, n);
      kernels->add_scalar(out[k], out[k], p.neg(p.mul(p.reduce(half_), factor)), n, p);
    }
  }
}

namespace {

// out = the conversion of x to all of its targets, block by block.
void convert_rows(const Conversion& conversion, const ConstRows& x, const Rows& out, std::size_t n) {
  const std::size_t count = conversion.terms_count();
  for_each_block(n, cached_block(count), count * out.size(), [&](std::size_t offset, std::size_t size) {
    const Scratch terms(count, size);
    conversion.terms(terms.rows(), advanced(x, offset).data(), size);
    conversion.sums(advanced(out, offset).data(), terms.rows(), 0, conversion.targets(), size);
  });
}

}  // namespace

Buffer convert(const Basis& source, const Basis& target, const Buffer& x, const std::vector<u64>& before,
               const std::vector<u64>& after) {
  source.check(x);
  if (!before.empty()) source.check_scalars(before);
  if (!after.empty()) target.check_scalars(after);
  if (target.ring_degree() != source.ring_degree())
    throw std::invalid_argument("a conversion from ring degree " + std::to_string(source.ring_degree()) + " to " +
                                std::to_string(target.ring_degree()));
  std::vector<u64> key{target.size(), before.size()};
  for (std::size_t i = 0; i < target.size(); ++i) key.push_back(target.modulus(i).value);
  for (const auto* scalars : {&before, &after}) key.insert(key.end(), scalars->begin(), scalars->end());
  const auto& conversion = source.constants<Conversion>(
      key, [&] { return Conversion(source.limbs(0, source.size()), target.limbs(0, target.size()), before, after); });
  Buffer out(x.leading(), target.size(), target.ring_degree());
  for (std::size_t i = 0; i < x.polynomials(); ++i)
    convert_rows(conversion, rows_of(x, i, 0, x.limbs()), rows_of(out, i, 0, out.limbs()), x.ring_degree());
  return out;
}

}  // namespace fhe

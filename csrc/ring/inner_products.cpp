#include "inner_products.hpp"

#include <algorithm>
#include <stdexcept>

#include "../pool/parallel.hpp"
#include "convert.hpp"
#include "rows.hpp"

namespace fhe {
namespace {

void check_single(const Buffer& buffer) {
  if (buffer.polynomials() != 1)
    throw std::invalid_argument("many inner products of polynomials with leading axes " + to_string(buffer.leading()));
}

void check(const Basis& basis, const Components& x, const std::vector<WeightedTerms>& sums) {
  if (x.empty() || x[0].empty()) throw std::invalid_argument("inner products of 0 terms");
  for (const auto& component : x) {
    if (component.size() != x[0].size())
      throw std::invalid_argument("components of " + std::to_string(x[0].size()) + " and " +
                                  std::to_string(component.size()) + " terms");
    for (const Buffer& term : component) {
      basis.check(term);
      check_single(term);
    }
  }
  for (const auto& [terms, y] : sums) {
    if (terms.empty() || terms.size() != y.size())
      throw std::invalid_argument("a sum of " + std::to_string(terms.size()) + " terms with " +
                                  std::to_string(y.size()) + " factors");
    for (std::size_t term : terms)
      if (term >= x[0].size())
        throw std::invalid_argument("term " + std::to_string(term) + " of " + std::to_string(x[0].size()));
    for (const Buffer& factor : y) {
      basis.check_prefix(factor);
      check_single(factor);
    }
  }
}

// One limb of all sums, from column `offset` on.
void sum_columns(const Basis& basis, const Components& x, const std::vector<WeightedTerms>& sums, std::size_t limb,
                 std::size_t offset, std::size_t size, std::vector<std::vector<Buffer>>& out) {
  ConstRows xs, ys;
  for (std::size_t g = 0; g < sums.size(); ++g) {
    ys.clear();
    for (const Buffer& factor : sums[g].y) ys.push_back(factor.row(0, limb) + offset);
    for (std::size_t c = 0; c < x.size(); ++c) {
      xs.clear();
      for (std::size_t term : sums[g].terms) xs.push_back(x[c][term].row(0, limb) + offset);
      basis.kernels(limb).inner_product(out[g][c].row(0, limb) + offset, xs.data(), ys.data(), ys.size(), size,
                                        basis.modulus(limb));
    }
  }
}

}  // namespace

std::vector<std::vector<Buffer>> inner_products(const Basis& basis, const Components& x,
                                                const std::vector<WeightedTerms>& sums) {
  check(basis, x, sums);
  const std::size_t N = basis.ring_degree(), block = std::min(N, cached_block(x.size() * x[0].size()));
  std::vector<std::vector<Buffer>> out(sums.size());
  std::size_t products = 0;
  for (std::size_t g = 0; g < sums.size(); ++g) {
    products += x.size() * sums[g].terms.size();
    for (std::size_t c = 0; c < x.size(); ++c) out[g].emplace_back(Axes{}, basis.size(), N);
  }
  for_each_limb(basis.size() * (N / block), products * block, [&](std::size_t i) {
    sum_columns(basis, x, sums, i / (N / block), i % (N / block) * block, block, out);
  });
  return out;
}

}  // namespace fhe

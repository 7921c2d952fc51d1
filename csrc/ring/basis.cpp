#include "basis.hpp"

#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace fhe {
namespace {

using TableKey = std::tuple<std::size_t, u64, u64, std::string>;

// The tables in use, dropped with the last basis that holds them.
std::shared_ptr<const NttTables> shared_tables(std::size_t ring_degree, u64 modulus, u64 root,
                                               const std::string& target) {
  static auto* const cache = new std::map<TableKey, std::weak_ptr<const NttTables>>;
  const std::lock_guard<std::mutex> guard(locks().tables);
  auto& entry = (*cache)[{ring_degree, modulus, root, target}];
  std::shared_ptr<const NttTables> tables = entry.lock();
  if (tables == nullptr) entry = tables = make_ntt_tables(ring_degree, Modulus(modulus), root, target.c_str());
  return tables;
}

void check_parameters(std::size_t N, const std::vector<u64>& moduli, const std::vector<u64>& roots) {
  if (N < 8 || N > (std::size_t{1} << kMaxLogDegree) || (N & (N - 1)) != 0)
    throw std::invalid_argument("ring degree " + std::to_string(N) + " is no power of two between 8 and 2^" +
                                std::to_string(kMaxLogDegree));
  if (moduli.empty() || moduli.size() != roots.size())
    throw std::invalid_argument(std::to_string(moduli.size()) + " primes with " + std::to_string(roots.size()) +
                                " roots of unity");
  for (const u64 q : moduli)
    if (q % (2 * N) != 1 || q == 1 || q >> 50 != 0)
      throw std::invalid_argument("prime " + std::to_string(q) + " is not 1 modulo 2 * " + std::to_string(N) +
                                  ", or not below 2^50");
}

}  // namespace

Basis::Basis(std::size_t ring_degree, const std::vector<u64>& moduli, const std::vector<u64>& roots,
             const std::string& target)
    : ring_degree_(ring_degree) {
  check_parameters(ring_degree, moduli, roots);
  for (std::size_t i = 0; i < moduli.size(); ++i)
    tables_.push_back(shared_tables(ring_degree, moduli[i], roots[i], target));
}

Limbs Basis::limbs(std::size_t start, std::size_t stop) const {
  Limbs chosen;
  for (std::size_t i = start; i < stop; ++i) chosen.push_back(tables_[i].get());
  return chosen;
}

Limbs Basis::without(std::size_t start, std::size_t stop) const {
  Limbs chosen = limbs(0, start);
  for (const NttTables* tables : limbs(stop, size())) chosen.push_back(tables);
  return chosen;
}

void Basis::check(const Buffer& x) const {
  if (x.limbs() != size() || x.ring_degree() != ring_degree_)
    throw std::invalid_argument("a buffer of (limbs, N) = " + to_string({x.limbs(), x.ring_degree()}) +
                                " over a basis of " + to_string({size(), ring_degree_}));
}

void Basis::check_prefix(const Buffer& x) const {
  if (x.limbs() < size() || x.ring_degree() != ring_degree_)
    throw std::invalid_argument("a buffer of (limbs, N) = " + to_string({x.limbs(), x.ring_degree()}) +
                                " where a basis of " + to_string({size(), ring_degree_}) + " needs at least as many");
}

void Basis::check_scalars(const std::vector<u64>& scalars) const {
  if (scalars.size() != size())
    throw std::invalid_argument(std::to_string(scalars.size()) + " scalars for " + std::to_string(size()) + " limbs");
  for (std::size_t i = 0; i < size(); ++i)
    if (scalars[i] >= modulus(i).value)
      throw std::invalid_argument("scalar " + std::to_string(i) + " is not below its prime " +
                                  std::to_string(modulus(i).value));
}

const Axes& broadcast(const Axes& x, const Axes& y) {
  const Axes& longer = x.size() >= y.size() ? x : y;
  const Axes& shorter = x.size() >= y.size() ? y : x;
  if (!std::equal(shorter.rbegin(), shorter.rend(), longer.rbegin()))
    throw std::invalid_argument("leading axes " + to_string(x) + " and " + to_string(y) +
                                " do not repeat to one shape");
  return longer;
}

std::string to_string(const Axes& axes) {
  std::string text = "(";
  for (std::size_t i = 0; i < axes.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(axes[i]);
  return text + ")";
}

}  // namespace fhe

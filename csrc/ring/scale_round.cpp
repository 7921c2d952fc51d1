#include "scale_round.hpp"

#include <stdexcept>

#include "../pool/parallel.hpp"
#include "convert.hpp"
#include "rows.hpp"

namespace fhe {
namespace {

// With y_i = [t x (Q/q_i)^-1] mod q_i, t x = sum_i y_i (Q/q_i) - v Q + Q k for the k asked for. All but that is known
// modulo t, where t x vanishes: k = sum_i y_i (-1/q_i) + v.
struct ScaleRound {
  ScaleRound(const Limbs& source, const Limbs& plain)
      : terms(source, residues(source, plain[0]->q.value)),
        sum(plain, source.size() + 1, [&](const Modulus& t, std::size_t i) {
          return i == source.size() ? u64{1} : t.neg(t.inverse(t.reduce(source[i]->q.value)));
        }) {}

  static std::vector<u64> residues(const Limbs& source, u64 t) {
    std::vector<u64> found;
    for (const NttTables* limb : source) found.push_back(limb->q.reduce(t));
    return found;
  }

  Terms terms;
  WeightedSums sum;
};

}  // namespace

Buffer scale_round(const Basis& basis, const Basis& plain, const Buffer& x, double* rest) {
  basis.check(x);
  const std::size_t N = basis.ring_degree();
  if (plain.size() != 1 || plain.ring_degree() != N)
    throw std::invalid_argument("a plain basis " + to_string({plain.size(), plain.ring_degree()}) + " beside a basis " +
                                to_string({basis.size(), N}) + ", not one prime of its ring");
  const u64 t = plain.modulus(0).value;
  for (std::size_t i = 0; i < basis.size(); ++i)
    if (basis.modulus(i).value == t) throw std::invalid_argument("t = " + std::to_string(t) + " is a prime of Q");
  const auto& scaling =
      basis.constants<ScaleRound>({t}, [&] { return ScaleRound(basis.limbs(0, basis.size()), plain.limbs(0, 1)); });
  const std::size_t count = scaling.terms.count();
  Buffer out(x.leading(), 1, N);
  for_each_block(x.polynomials() * N, std::min(N, cached_block(count)), 4 * count,
                 [&](std::size_t offset, std::size_t size) {
                   const Scratch terms(count, size);
                   const ConstRows rows = rows_of(x, offset / N, 0, basis.size(), offset % N);
                   scaling.terms(terms.rows(), rows.data(), size, rest + offset);
                   u64* const row = out.row(offset / N, 0) + offset % N;
                   scaling.sum(&row, terms.rows(), 0, 1, size);
                 });
  return out;
}

}  // namespace fhe

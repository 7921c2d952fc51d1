#include "automorphism.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "../pool/parallel.hpp"
#include "order.hpp"
#include "rows.hpp"

namespace fhe {
namespace {

enum class Kind { kCoefficients, kEvaluations, kToNatural, kFromNatural };

// out[k] = in[index[k]]
using Index = std::vector<u32>;

Index inverse_of(const Index& permutation) {
  Index inverse(permutation.size());
  for (std::size_t k = 0; k < permutation.size(); ++k) inverse[permutation[k]] = static_cast<u32>(k);
  return inverse;
}

// g^-1 mod 2^64 for odd g: g * g = 1 mod 8 starts with three bits, each step of Newton's doubles them.
u64 odd_inverse(u64 g) {
  u64 inverse = g;
  for (int step = 0; step < 5; ++step) inverse *= 2 - g * inverse;
  return inverse;
}

// X^j goes to X^(g j), so the coefficient of X^k comes from exponent j = k / g mod 2N. Since X^N = -1 the exponents
// N … 2N-1 hold the negated coefficients: the index is into x followed by -x.
Index coefficients_index(u64 N, u64 g) {
  const u64 inverse = odd_inverse(g);
  Index index(N);
  for (u64 k = 0; k < N; ++k) index[k] = static_cast<u32>(k * inverse & (2 * N - 1));
  return index;
}

// Position k holds f(psi^e), e = 2 order[k] + 1, and shall hold f(psi^(e g)): it comes from where e g mod 2N is kept.
Index evaluations_index(u64 N, u64 g) {
  const Index order = evaluation_order(N), position = inverse_of(order);
  Index index(N);
  for (u64 k = 0; k < N; ++k) index[k] = position[((2 * u64{order[k]} + 1) * g & (2 * N - 1)) / 2];
  return index;
}

Index make_index(Kind kind, u64 N, u64 g) {
  switch (kind) {
    case Kind::kCoefficients:
      return coefficients_index(N, g);
    case Kind::kEvaluations:
      return evaluations_index(N, g);
    case Kind::kToNatural:
      return inverse_of(evaluation_order(N));
    case Kind::kFromNatural:
      return evaluation_order(N);
  }
  throw std::logic_error("unknown permutation");
}

// The indices used last, for the whole process. A cache of 64 MiB that overflows is emptied.
std::shared_ptr<const Index> permutation(Kind kind, u64 N, u64 g) {
  constexpr std::size_t kLimit = std::size_t{64} << 20;
  static auto* const cache = new std::map<std::vector<u64>, std::shared_ptr<const Index>>;
  static std::size_t bytes = 0;
  const std::lock_guard<std::mutex> guard(locks().tables);
  const std::vector<u64> key{static_cast<u64>(kind), N, g};
  if (const auto found = cache->find(key); found != cache->end()) return found->second;
  if (bytes + 4 * N > kLimit) {
    cache->clear();
    bytes = 0;
  }
  bytes += 4 * N;
  return cache->emplace(key, std::make_shared<const Index>(make_index(kind, N, g))).first->second;
}

Buffer permute(Kind kind, const Basis& basis, const Buffer& x, u64 element) {
  basis.check(x);
  if (element % 2 == 0)
    throw std::invalid_argument("element " + std::to_string(element) + " of an automorphism is even");
  const std::size_t N = basis.ring_degree();
  const auto index = permutation(kind, N, element & (2 * N - 1));
  Buffer out(x.leading(), x.limbs(), N);
  for_each_limb(x.limbs(), 2 * x.polynomials() * N, [&](std::size_t limb) {
    const Kernels& kernels = basis.kernels(limb);
    const Scratch both(kind == Kind::kCoefficients ? 2 : 0, N);
    for (std::size_t i = 0; i < x.polynomials(); ++i) {
      const u64* from = x.row(i, limb);
      if (kind == Kind::kCoefficients) {
        std::copy_n(from, N, both.row(0));
        kernels.neg(both.row(1), from, N, basis.modulus(limb));
        from = both.row(0);
      }
      kernels.gather(out.row(i, limb), from, index->data(), N);
    }
  });
  return out;
}

}  // namespace

Buffer automorphism_coeff(const Basis& basis, const Buffer& x, u64 element) {
  return permute(Kind::kCoefficients, basis, x, element);
}

Buffer automorphism_eval(const Basis& basis, const Buffer& x, u64 element) {
  return permute(Kind::kEvaluations, basis, x, element);
}

Buffer to_natural(const Basis& basis, const Buffer& x) { return permute(Kind::kToNatural, basis, x, 1); }
Buffer from_natural(const Basis& basis, const Buffer& x) { return permute(Kind::kFromNatural, basis, x, 1); }

}  // namespace fhe

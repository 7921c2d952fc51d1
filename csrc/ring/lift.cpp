#include "lift.hpp"

#include <algorithm>
#include <vector>

#include "../pool/parallel.hpp"
#include "convert.hpp"
#include "rows.hpp"
#include "weighted_sums.hpp"

namespace fhe {
namespace {

constexpr std::size_t kBlock = 256;

// Garner's mixed radix digits b_i in [0, q_i) of x + (Q-1)/2, which is never negative: x + (Q-1)/2 = b_0 + b_1 q_0 +
// b_2 q_0 q_1 + ... As (Q-1)/2 has the digits h_i = (q_i-1)/2, and the residues h_i too, the b_i - h_i are digits of x.
struct MixedRadix {
  explicit MixedRadix(const Basis& basis);

  std::vector<std::vector<u64>> weights;  // weights[i][k] = q_0 ... q_(k-1) mod q_i for k < i
  std::vector<u64> inverses, shifts;      // w_i = (q_0 ... q_(i-1))^-1 and h_i w_i mod q_i
  std::vector<u64> moduli;
};

MixedRadix::MixedRadix(const Basis& basis) {
  for (std::size_t i = 0; i < basis.size(); ++i) {
    const Modulus& q = basis.modulus(i);
    std::vector<u64> powers{1};
    for (std::size_t k = 0; k < i; ++k) powers.push_back(q.mul(powers[k], q.reduce(basis.modulus(k).value)));
    inverses.push_back(q.inverse(powers[i]));
    shifts.push_back(q.mul(q.value / 2, inverses[i]));
    powers.pop_back();
    weights.push_back(std::move(powers));
    moduli.push_back(q.value);
  }
}

// b_i = (x_i - (b_0 + b_1 q_0 + ... )) w_i + h_i w_i mod q_i.
void mixed_radix_digits(const Basis& basis, const MixedRadix& radix, const ConstRows& x, const Scratch& digits,
                        std::size_t n) {
  for (std::size_t i = 0; i < basis.size(); ++i) {
    u64* const row = digits.row(i);
    const Modulus* const q = &basis.modulus(i);
    const Kernels& kernels = basis.kernels(i);
    if (i > 0) {
      kernels.weighted_sums(&row, 1, digits.rows(), i, radix.weights[i].data(), n, &q);
      kernels.sub_mul_scalar(row, x[i], row, radix.inverses[i], n, *q);
    }
    kernels.add_scalar(row, i > 0 ? row : x[i], radix.shifts[i], n, *q);
  }
}

}  // namespace

// c + 2^63 is an unsigned word u = u_1 2^32 + u_0, so that c = u_0 + u_1 * 2^32 - 2^63 with halves the kernels take.
Buffer reduce(const Basis& basis, const Axes& leading, const i64* coefficients) {
  const std::size_t L = basis.size(), N = basis.ring_degree();
  const auto& sums = basis.constants<WeightedSums>({}, [&] {
    return WeightedSums(basis.limbs(0, L), 3, [](const Modulus& q, std::size_t i) {
      return i == 0 ? 1 : i == 1 ? q.reduce(u64{1} << 32) : q.neg(q.reduce(u64{1} << 63));
    });
  });
  Buffer out(leading, L, N);
  for_each_block(out.polynomials() * N, std::min(kBlock, N), 4 * L, [&](std::size_t offset, std::size_t size) {
    const Scratch halves(3, size);
    for (std::size_t k = 0; k < size; ++k) {
      const u64 shifted = static_cast<u64>(coefficients[offset + k]) + (u64{1} << 63);
      halves.row(0)[k] = static_cast<u32>(shifted);
      halves.row(1)[k] = shifted >> 32;
      halves.row(2)[k] = 1;
    }
    sums(rows_of(out, offset / N, 0, L, offset % N).data(), halves.rows(), 0, L, size);
  });
  return out;
}

void lift(const Basis& basis, const Buffer& x, double* out) {
  basis.check(x);
  const std::size_t N = basis.ring_degree();
  const auto& radix = basis.constants<MixedRadix>({}, [&] { return MixedRadix(basis); });
  for_each_block(x.polynomials() * N, std::min(kBlock, N), 8 * basis.size() * basis.size(),
                 [&](std::size_t offset, std::size_t size) {
                   const Scratch digits(basis.size(), size);
                   const ConstRows rows = rows_of(x, offset / N, 0, basis.size(), offset % N);
                   mixed_radix_digits(basis, radix, rows, digits, size);
                   basis.kernels(0).mixed_radix(out + offset, digits.rows(), radix.moduli.data(), basis.size(), size);
                 });
}

}  // namespace fhe

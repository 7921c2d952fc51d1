#include "lift.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "../pool/parallel.hpp"
#include "convert.hpp"
#include "rows.hpp"
#include "weighted_sums.hpp"

namespace fhe {
namespace {

constexpr std::size_t kBlock = 256;

// Unsigned integers of `width` words, little-endian. A width that is known where a loop is compiled unrolls it.

// x = x * factor + addend; returns the carry.
inline u64 multiply_add(u64* x, std::size_t width, u64 factor, u64 addend) {
  u64 carry = addend;
  for (std::size_t w = 0; w < width; ++w) {
    const u128 product = static_cast<u128>(x[w]) * factor + carry;
    x[w] = static_cast<u64>(product);
    carry = static_cast<u64>(product >> 64);
  }
  return carry;
}

// out = x - y; returns the borrow.
inline u64 subtract(u64* out, const u64* x, const u64* y, std::size_t width) {
  u64 borrow = 0;
  for (std::size_t w = 0; w < width; ++w) {
    const u128 difference = static_cast<u128>(x[w]) - y[w] - borrow;
    out[w] = static_cast<u64>(difference);
    borrow = static_cast<u64>(difference >> 64) & 1;
  }
  return borrow;
}

// 2^exponent, exactly, for exponents in [0, 1023]; infinity above.
inline double power_of_two(std::size_t exponent) {
  const u64 bits = (1023 + std::min<u64>(exponent, 1024)) << 52;
  double power;
  std::memcpy(&power, &bits, sizeof power);
  return power;
}

// The double nearest to x, of two the even one. The top 64 bits decide a rounding to 53, once their last one tells
// whether anything follows; the scaling is exact, or overflows as it should.
inline double nearest_double(const u64* x, std::size_t width) {
  while (width > 1 && x[width - 1] == 0) --width;
  if (width == 1) return static_cast<double>(x[0]);
  const int shift = 64 - bit_length(x[width - 1]);
  const u128 top = (static_cast<u128>(x[width - 1]) << 64 | x[width - 2]) << shift;
  u64 rest = static_cast<u64>(top);
  for (std::size_t w = 0; w + 2 < width; ++w) rest |= x[w];
  const double rounded = static_cast<double>(static_cast<u64>(top >> 64) | (rest != 0 ? 1 : 0));
  return rounded * power_of_two(64 * (width - 1) - static_cast<std::size_t>(shift));
}

// Mixed radix digits a_i in [0, q_i): x = a_0 + a_1 q_0 + a_2 q_0 q_1 + …  (Garner), for x in [0, Q).
struct MixedRadix {
  explicit MixedRadix(const Basis& basis);

  std::vector<std::vector<u64>> weights;  // weights[i][k] = q_0 … q_(k-1) mod q_i for k < i
  std::vector<u64> inverses;              // (q_0 … q_(i-1))^-1 mod q_i
  std::vector<u64> Q, half;               // Q and (Q-1)/2
};

MixedRadix::MixedRadix(const Basis& basis) : Q{1} {
  for (std::size_t i = 0; i < basis.size(); ++i) {
    const Modulus& q = basis.modulus(i);
    std::vector<u64> powers{1};
    for (std::size_t k = 0; k < i; ++k) powers.push_back(q.mul(powers[k], q.reduce(basis.modulus(k).value)));
    inverses.push_back(q.inverse(powers[i]));
    powers.pop_back();
    weights.push_back(std::move(powers));
    if (const u64 carry = multiply_add(Q.data(), Q.size(), q.value, 0)) Q.push_back(carry);
  }
  for (std::size_t w = 0; w < Q.size(); ++w) half.push_back(Q[w] >> 1 | (w + 1 < Q.size() ? Q[w + 1] << 63 : 0));
}

// a_i = (x_i - (a_0 + a_1 q_0 + … )) * (q_0 … q_(i-1))^-1 mod q_i. The first digit is x_0 itself.
ConstRows mixed_radix_digits(const Basis& basis, const MixedRadix& radix, const ConstRows& x, const Scratch& space,
                             std::size_t n) {
  ConstRows digits{x[0]};
  for (std::size_t i = 1; i < basis.size(); ++i) {
    u64* const row = space.row(i);
    const Modulus* const q = &basis.modulus(i);
    basis.kernels(i).weighted_sums(&row, 1, digits.data(), i, radix.weights[i].data(), n, &q);
    basis.kernels(i).sub_mul_scalar(row, x[i], row, radix.inverses[i], n, *q);
    digits.push_back(row);
  }
  return digits;
}

// Column k of the digits: added up from the top by Horner, centred, rounded. x has room for two numbers.
inline double centred_double(const Basis& basis, const MixedRadix& radix, const ConstRows& digits, std::size_t k,
                             u64* x, std::size_t width) {
  u64* const difference = x + width;
  std::fill_n(x, width, 0);
  for (std::size_t i = basis.size(); i-- > 0;) multiply_add(x, width, basis.modulus(i).value, digits[i][k]);
  const u64 negative = 0 - subtract(difference, radix.half.data(), x, width);
  subtract(difference, radix.Q.data(), x, width);
  for (std::size_t w = 0; w < width; ++w) x[w] ^= (x[w] ^ difference[w]) & negative;
  const double magnitude = nearest_double(x, width);
  return negative != 0 ? -magnitude : magnitude;
}

template <std::size_t width>
void centred_doubles(const Basis& basis, const MixedRadix& radix, const ConstRows& digits, std::size_t n, double* out) {
  std::array<u64, 2 * width> x;
  for (std::size_t k = 0; k < n; ++k) out[k] = centred_double(basis, radix, digits, k, x.data(), width);
}

void round_columns(const Basis& basis, const MixedRadix& radix, const ConstRows& digits, std::size_t n, double* out) {
  switch (const std::size_t width = radix.Q.size()) {
    case 1:
      return centred_doubles<1>(basis, radix, digits, n, out);
    case 2:
      return centred_doubles<2>(basis, radix, digits, n, out);
    case 3:
      return centred_doubles<3>(basis, radix, digits, n, out);
    case 4:
      return centred_doubles<4>(basis, radix, digits, n, out);
    case 5:
      return centred_doubles<5>(basis, radix, digits, n, out);
    case 6:
      return centred_doubles<6>(basis, radix, digits, n, out);
    default: {
      const Scratch words(2, width);
      for (std::size_t k = 0; k < n; ++k) out[k] = centred_double(basis, radix, digits, k, words.row(0), width);
    }
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
                   const Scratch space(basis.size(), size);
                   const ConstRows rows = rows_of(x, offset / N, 0, basis.size(), offset % N);
                   const ConstRows digits = mixed_radix_digits(basis, radix, rows, space, size);
                   round_columns(basis, radix, digits, size, out + offset);
                 });
}

}  // namespace fhe

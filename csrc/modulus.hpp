// Arithmetic modulo one prime: the scalar truth that every kernel agrees with.
//
// Values are fully reduced, in [0, q), unless a comment says otherwise.
#pragma once

#include <stdexcept>
#include <string>

#include "word.hpp"

namespace fhe {

struct Modulus {
  static constexpr int kMaxBits = 60;

  u64 value;          // q, odd, 3 <= q < 2^60
  int bits;           // 2^(bits-1) < q < 2^bits
  u64 barrett;        // floor(2^(bits+62) / q), in (2^62, 2^63)
  u64 one_shoup;      // floor(2^64 / q); its top S bits are floor(2^S / q)
  u64 radix;          // 2^64 mod q
  u64 radix_shoup;    // floor(radix * 2^64 / q)
  double reciprocal;  // fl(1 / q)

  // Throws std::invalid_argument unless q is odd and 3 <= q < 2^60. That q is prime is the caller's affair.
  explicit Modulus(u64 q) : value(q), bits(bit_length(q)) {
    if (q < 3 || q % 2 == 0 || bits > kMaxBits) {
      throw std::invalid_argument("modulus " + std::to_string(q) + " must be odd and in [3, 2^60)");
    }
    barrett = static_cast<u64>((static_cast<u128>(1) << (bits + 62)) / q);
    one_shoup = static_cast<u64>((static_cast<u128>(1) << 64) / q);
    radix = 0 - one_shoup * q;
    radix_shoup = static_cast<u64>((static_cast<u128>(radix) << 64) / q);
    reciprocal = 1.0 / static_cast<double>(q);
  }

  u64 add(u64 x, u64 y) const { return correct(x + y); }
  u64 sub(u64 x, u64 y) const { return correct(x + value - y); }
  u64 neg(u64 x) const { return correct(value - x); }

  // z mod q for z < 2^(2 bits), a product of two residues plus a residue for example.
  //
  // With b = bits: h = floor(z / 2^(b-2)) < 2^(b+2) and mu = barrett = 2^(b+62)/q - e, 0 <= e < 1, give
  //   z/q - h mu / 2^64  <  2^(b-2)/q + h / 2^64  <  1/2 + 2^(b-62)  <=  3/4,
  // so the quotient's floor is at most one too small, and one subtraction completes the reduction.
  u64 reduce_product(u128 z) const {
    const u64 quotient = mul_hi(static_cast<u64>(z >> (bits - 2)), barrett);
    return correct(static_cast<u64>(z) - quotient * value);
  }

  u64 mul(u64 x, u64 y) const { return reduce_product(static_cast<u128>(x) * y); }

  // x mod q for any word x.
  u64 reduce(u64 x) const { return correct(x - mul_hi(x, one_shoup) * value); }

  // z mod q for any two words: both z_1 * 2^64 and z_0 * 1 as lazy Shoup products in [0, 2q), summed in [0, 4q).
  u64 reduce(u128 z) const {
    const u64 low = static_cast<u64>(z), high = static_cast<u64>(z >> 64);
    const u64 sum = mul_shoup_lazy(high, radix, radix_shoup) + mul_shoup_lazy(low, 1, one_shoup);
    return correct(sum >= 2 * value ? sum - 2 * value : sum);
  }

  // floor(w * 2^64 / q) for w in [0, q), without dividing. Its top S bits are floor(w * 2^S / q).
  //
  // 2^64 = one_shoup * q + radix, so w 2^64 / q = w one_shoup + w radix / q, and w radix_shoup / 2^64 falls
  // short of the last term by less than w / 2^64 < 1/16: the floor is at most one too small.
  u64 shoup(u64 w) const {
    const u64 quotient = w * one_shoup + mul_hi(w, radix_shoup);
    return quotient + (0 - quotient * value >= value ? 1 : 0);
  }

  // x * w mod q in [0, 2q) for any word x, with w' = shoup(w). (Shoup; Harvey, arXiv:1205.2926.)
  u64 mul_shoup_lazy(u64 x, u64 w, u64 w_shoup) const { return x * w - mul_hi(x, w_shoup) * value; }
  u64 mul_shoup(u64 x, u64 w, u64 w_shoup) const { return correct(mul_shoup_lazy(x, w, w_shoup)); }

  u64 pow(u64 x, u64 exponent) const {
    u64 power = 1;
    for (; exponent != 0; exponent >>= 1) {
      if (exponent & 1) power = mul(power, x);
      x = mul(x, x);
    }
    return power;
  }

  // x^-1 for prime q and x != 0: x^(q-2), by Fermat.
  u64 inverse(u64 x) const { return pow(x, value - 2); }

 private:
  // x in [0, 2q) to [0, q): the difference wraps to a huge number exactly when x < q.
  u64 correct(u64 x) const { return x - value < x ? x - value : x; }
};

}  // namespace fhe

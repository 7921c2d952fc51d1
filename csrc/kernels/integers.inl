// The arithmetic of integers modulo 2^S: include before target.inl.

using Vec = Simd::Vec;
constexpr u128 kWordEnd = static_cast<u128>(1) << Simd::kWordBits;

// clang-format off: each uses those above it
#include "unroll.inl"
#include "transpose.inl"
#include "check.inl"
#include "residue.inl"
#include "shoup.inl"
// clang-format on

constexpr int kMaxModulusBits = Simd::kMaxModulusBits;

// w and floor(w 2^S / q); the latter gives the former.
void twiddle(u64* pair, u64 w, const Modulus& q) {
  pair[0] = w;
  pair[1] = shoup_word(q, w);
}

// The arithmetic of doubles with fused multiply-adds: include before target.inl.

using Vec = Simd::Vec;

// clang-format off: each uses those above it
#include "unroll.inl"
#include "transpose.inl"
#include "check.inl"
#include "real_residue.inl"
#include "real_shoup.inl"
// clang-format on

constexpr int kMaxModulusBits = RealRules::kMaxModulusBits;

// w / q and w, in (-q/2, q/2), as doubles; the latter gives the former.
void twiddle(u64* pair, u64 w, const Modulus& q) {
  const double centred = w > q.value / 2 ? -static_cast<double>(q.value - w) : static_cast<double>(w);
  const double words[2] = {centred / static_cast<double>(q.value), centred};
  std::memcpy(pair, words, sizeof words);
}

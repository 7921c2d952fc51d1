// The vocabulary on AVX-512 with IFMA: S = 52, eight lanes of 64 bits.
//
// vpmadd52{lo,hi}uq multiply the low 52 bits of two words and add the low or high 52 bits of the product to a
// 64-bit lane. Whatever stands above bit 52 of a factor is ignored, so lazy values need no masking.
#pragma once

#if defined(__x86_64__)

// GCC's own headers read what they declare undefined on purpose, and warn of it wherever they are inlined.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include "../word.hpp"
#include "region.hpp"

FHE_TARGET_REGION_BEGIN("avx512f,avx512dq,avx512ifma")

namespace fhe::simd {

struct Avx512Ifma {
  static constexpr const char* kName = "avx512ifma";
  static constexpr int kWordBits = 52;
  static constexpr int kMaxModulusBits = 50;
  static constexpr u64 kMinRingDegree = 128;
  static constexpr int kLanes = 8;
  static constexpr int kLogMaxTerms = 11;  // a Wide holds 2^11 low halves below 2^52 and one 64-bit word

  static bool supported() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512ifma");
  }

  using Vec = __m512i;
  using Real = __m512d;
  struct Wide {  // high * 2^52 + low
    Vec high, low;
  };

  FHE_INLINE static Vec load(const u64* from) { return _mm512_loadu_si512(from); }
  FHE_INLINE static void store(u64* to, Vec x) { _mm512_storeu_si512(to, x); }
  FHE_INLINE static Vec broadcast(u64 x) { return _mm512_set1_epi64(static_cast<i64>(x)); }

  // x is computed here, not where it is used: gcc would copy a register to sink it.
  FHE_INLINE static void settle(Vec& x) { asm("" : "+v"(x)); }

  FHE_INLINE static Vec add(Vec x, Vec y) { return _mm512_add_epi64(x, y); }
  FHE_INLINE static Vec sub(Vec x, Vec y) { return _mm512_sub_epi64(x, y); }
  FHE_INLINE static Vec min(Vec x, Vec y) { return _mm512_min_epu64(x, y); }
  FHE_INLINE static Vec low_word(Vec x) { return _mm512_and_si512(x, broadcast((u64{1} << 52) - 1)); }
  FHE_INLINE static Vec mul_lo_add(Vec z, Vec x, Vec y) { return _mm512_madd52lo_epu64(z, x, y); }
  FHE_INLINE static Vec mul_hi_add(Vec z, Vec x, Vec y) { return _mm512_madd52hi_epu64(z, x, y); }

  FHE_INLINE static Wide widen(Vec x) { return {broadcast(0), x}; }
  FHE_INLINE static Wide mul_add(Wide z, Vec x, Vec y) { return {mul_hi_add(z.high, x, y), mul_lo_add(z.low, x, y)}; }
  FHE_INLINE static Vec high(Wide z) { return add(z.high, _mm512_srli_epi64(z.low, 52)); }
  FHE_INLINE static Vec low(Wide z) { return z.low; }
  FHE_INLINE static Vec shift_right(Wide z, int count) {
    return add(_mm512_sllv_epi64(z.high, broadcast(static_cast<u64>(52 - count))),
               _mm512_srlv_epi64(z.low, broadcast(static_cast<u64>(count))));
  }

  template <int groups, int jam>
  FHE_INLINE static void transpose(Vec (&tile)[groups][jam][8]) {
    static_assert(groups == 1);
    for (int u = 0; u < jam; ++u) transpose_8x8(tile[0][u]);
  }

  // Embedded rounding keeps a compiler from contracting a product and a sum.
  FHE_INLINE static Real broadcast_real(double x) { return _mm512_set1_pd(x); }
  FHE_INLINE static Real to_real(Vec x) { return _mm512_cvtepu64_pd(x); }
  FHE_INLINE static Real real_mul(Real x, Real y) { return _mm512_mul_round_pd(x, y, kNearest); }
  FHE_INLINE static Real real_add(Real x, Real y) { return _mm512_add_round_pd(x, y, kNearest); }
  FHE_INLINE static Vec truncate(Real x) { return _mm512_cvttpd_epu64(x); }

 private:
  static constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

  // Three rounds of eight shuffles: words between neighbouring rows, then 128-bit parts twice.
  FHE_INLINE static void transpose_8x8(Vec (&v)[8]) {
    Vec words[8], parts[8];
    for (int i = 0; i < 8; i += 2) {
      words[i] = _mm512_unpacklo_epi64(v[i], v[i + 1]);
      words[i + 1] = _mm512_unpackhi_epi64(v[i], v[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
      for (int j = 0; j < 2; ++j) {
        parts[i + j] = _mm512_shuffle_i64x2(words[i + j], words[i + j + 2], 0x88);
        parts[i + j + 2] = _mm512_shuffle_i64x2(words[i + j], words[i + j + 2], 0xdd);
      }
    }
    for (int j = 0; j < 4; ++j) {
      v[j] = _mm512_shuffle_i64x2(parts[j], parts[j + 4], 0x88);
      v[j + 4] = _mm512_shuffle_i64x2(parts[j], parts[j + 4], 0xdd);
    }
  }
};

}  // namespace fhe::simd

FHE_TARGET_REGION_END

#endif  // x86-64

// The vocabulary of doubles on AVX2 with FMA: four lanes.
#pragma once

#if defined(__x86_64__)

#include "../word.hpp"
#include "intrinsics.hpp"
#include "region.hpp"

FHE_TARGET_REGION_BEGIN("avx2,fma")

namespace fhe::simd {

struct Avx2 {
  static constexpr const char* kName = "avx2";
  static constexpr u64 kMinRingDegree = 128;
  static constexpr int kLanes = 4;
  static constexpr int kInFlight = 16;  // with spills: eight butterflies at a time hide what four do not

  static bool supported() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

  using Vec = __m256i;
  using Real = __m256d;

  FHE_INLINE static Vec load(const u64* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
  FHE_INLINE static void store(u64* to, Vec x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x); }
  FHE_INLINE static Vec broadcast(u64 x) { return _mm256_set1_epi64x(static_cast<i64>(x)); }
  FHE_INLINE static Vec add(Vec x, Vec y) { return _mm256_add_epi64(x, y); }
  FHE_INLINE static Vec sub(Vec x, Vec y) { return _mm256_sub_epi64(x, y); }
  // y <= x, or y wrapped below zero: its sign decides.
  FHE_INLINE static Vec min(Vec x, Vec y) {
    return _mm256_castpd_si256(
        _mm256_blendv_pd(_mm256_castsi256_pd(y), _mm256_castsi256_pd(x), _mm256_castsi256_pd(y)));
  }

  // Words of `width` bytes, one after another: two to a half, spread by a shuffle.
  struct Packed {
    const std::size_t width;
    const __m256i spread;
    FHE_INLINE explicit Packed(std::size_t width) : width(width), spread(spread_of(width)) {}
    FHE_INLINE Vec load(const unsigned char* from) const {
      const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
      const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 2 * width));
      return _mm256_shuffle_epi8(_mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1), spread);
    }
    // Byte b of word k of a half comes from byte k * width + b, or is zero.
    FHE_INLINE static __m256i spread_of(std::size_t width) {
      signed char index[32];
      for (std::size_t i = 0; i < 32; ++i)
        index[i] = i % 8 < width ? static_cast<signed char>(i / 8 % 2 * width + i % 8) : -1;
      return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(index));
    }
  };

  FHE_INLINE static Real as_real(Vec x) { return _mm256_castsi256_pd(x); }
  FHE_INLINE static Vec as_word(Real x) { return _mm256_castpd_si256(x); }
  FHE_INLINE static Real broadcast_real(double x) { return _mm256_set1_pd(x); }
  FHE_INLINE static Real real_add(Real x, Real y) { return _mm256_add_pd(x, y); }
  FHE_INLINE static Real real_sub(Real x, Real y) { return _mm256_sub_pd(x, y); }
  // The barrier keeps a compiler from contracting a product and a sum.
  FHE_INLINE static Real real_mul(Real x, Real y) {
    Real product = _mm256_mul_pd(x, y);
    asm("" : "+x"(product));
    return product;
  }
  // x y + z and z - x y, rounded once.
  FHE_INLINE static Real fma(Real x, Real y, Real z) { return _mm256_fmadd_pd(x, y, z); }
  FHE_INLINE static Real fnma(Real x, Real y, Real z) { return _mm256_fnmadd_pd(x, y, z); }

  // x y - p for p = x y, rounded; x, but no further from zero than a limit.
  FHE_INLINE static Real product_error(Real x, Real y, Real p) { return _mm256_fmsub_pd(x, y, p); }
  FHE_INLINE static Real within(Real x, double limit) {
    return _mm256_min_pd(_mm256_max_pd(x, broadcast_real(-limit)), broadcast_real(limit));
  }
  FHE_INLINE static void store_real(double* to, Real x) { _mm256_storeu_pd(to, x); }

  // Words below 2^52: as the last bits of 2^52 + x.
  FHE_INLINE static Real to_real_exact(Vec x) {
    return _mm256_sub_pd(as_real(_mm256_or_si256(x, as_word(broadcast_real(0x1p52)))), broadcast_real(0x1p52));
  }
  // Integers in [-2^51, 2^51): as the last bits of 1.5 * 2^52 + x.
  FHE_INLINE static Vec to_word(Real x) {
    const Real magic = broadcast_real(0x1.8p52);
    return _mm256_sub_epi64(as_word(_mm256_add_pd(x, magic)), as_word(magic));
  }
  // Any words: their halves as the last bits of 2^84 + 2^32 x_1 and 2^52 + x_0, rounded once, in the sum.
  FHE_INLINE static Real to_real(Vec x) {
    const Vec high = _mm256_or_si256(_mm256_srli_epi64(x, 32), as_word(broadcast_real(0x1p84)));
    const Vec low = _mm256_blend_epi32(x, as_word(broadcast_real(0x1p52)), 0xaa);
    return _mm256_add_pd(_mm256_sub_pd(as_real(high), broadcast_real(0x1p84 + 0x1p52)), as_real(low));
  }
  // Of x in [0, 2^51).
  FHE_INLINE static Vec truncate(Real x) { return to_word(_mm256_floor_pd(x)); }

  FHE_INLINE static void transpose(Real (&v)[4]) {
    const Real a = _mm256_unpacklo_pd(v[0], v[1]), b = _mm256_unpackhi_pd(v[0], v[1]);
    const Real c = _mm256_unpacklo_pd(v[2], v[3]), d = _mm256_unpackhi_pd(v[2], v[3]);
    v[0] = _mm256_permute2f128_pd(a, c, 0x20);
    v[1] = _mm256_permute2f128_pd(b, d, 0x20);
    v[2] = _mm256_permute2f128_pd(a, c, 0x31);
    v[3] = _mm256_permute2f128_pd(b, d, 0x31);
  }
};

}  // namespace fhe::simd

FHE_TARGET_REGION_END

#endif  // x86-64

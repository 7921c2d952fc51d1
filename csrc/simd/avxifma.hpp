// The vocabulary on 256-bit IFMA: S = 52, four lanes, sixteen registers.
//
// The same products in two encodings: VEX, of CPUs with AVX-IFMA and without AVX-512 (Sierra Forest, Arrow Lake and
// later), and EVEX, of AVX-512 with its short vectors, where whatever is true of the first can be tested.
#pragma once

#if defined(__x86_64__)

#include <cpuid.h>

#include "avx2.hpp"

// Compilers that know AVX-IFMA; the others leave it to CPUs with AVX-512.
#if (defined(__clang__) && __clang_major__ >= 16) || (!defined(__clang__) && __GNUC__ >= 13)
#define FHE_HAS_AVXIFMA 1
#else
#define FHE_HAS_AVXIFMA 0
#endif

FHE_TARGET_REGION_BEGIN("avx2,fma")

namespace fhe::simd {

// All but the products.
struct Words52 : Avx2 {
  static constexpr const char* kName = "avxifma";
  static constexpr int kInFlight = 8;  // half of the registers
  static constexpr int kWordBits = 52;
  static constexpr int kMaxModulusBits = 50;
  static constexpr int kLogMaxTerms = 11;  // a Wide holds 2^11 low halves below 2^52 and one 64-bit word

  struct Wide {  // high * 2^52 + low
    Vec high, low;
  };

  FHE_INLINE static void settle(Vec& x) { asm("" : "+x"(x)); }

  FHE_INLINE static Vec low_word(Vec x) { return _mm256_and_si256(x, broadcast((u64{1} << 52) - 1)); }
  FHE_INLINE static Wide widen(Vec x) { return {broadcast(0), x}; }
  FHE_INLINE static Vec high(Wide z) { return add(z.high, _mm256_srli_epi64(z.low, 52)); }
  FHE_INLINE static Vec low(Wide z) { return z.low; }
  FHE_INLINE static Vec shift_right(Wide z, int count) {
    return add(_mm256_sllv_epi64(z.high, broadcast(static_cast<u64>(52 - count))),
               _mm256_srlv_epi64(z.low, broadcast(static_cast<u64>(count))));
  }

  FHE_INLINE static void transpose(Vec (&v)[4]) {
    Real reals[4];
    for (int i = 0; i < 4; ++i) reals[i] = as_real(v[i]);
    Avx2::transpose(reals);
    for (int i = 0; i < 4; ++i) v[i] = as_word(reals[i]);
  }
};

}  // namespace fhe::simd

FHE_TARGET_REGION_END

#if FHE_HAS_AVXIFMA

FHE_TARGET_REGION_BEGIN("avx2,fma,avxifma")

namespace fhe::simd {

struct AvxIfma : Words52 {
  static bool supported() {
    static const bool has = Avx2::supported() && cpuid();
    return has;
  }
  // Leaf 7.1, EAX bit 23: __builtin_cpu_supports learns it later than the compiler.
  static bool cpuid() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 23 & 1) != 0;
  }

  FHE_INLINE static Vec mul_lo_add(Vec z, Vec x, Vec y) { return _mm256_madd52lo_avx_epu64(z, x, y); }
  FHE_INLINE static Vec mul_hi_add(Vec z, Vec x, Vec y) { return _mm256_madd52hi_avx_epu64(z, x, y); }
  FHE_INLINE static Wide mul_add(Wide z, Vec x, Vec y) { return {mul_hi_add(z.high, x, y), mul_lo_add(z.low, x, y)}; }
};

}  // namespace fhe::simd

FHE_TARGET_REGION_END

#endif  // FHE_HAS_AVXIFMA

FHE_TARGET_REGION_BEGIN("avx2,fma,avx512f,avx512ifma,avx512vl")

namespace fhe::simd {

struct ShortAvx512Ifma : Words52 {
  static bool supported() {
    return Avx2::supported() && __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512vl");
  }

  FHE_INLINE static Vec mul_lo_add(Vec z, Vec x, Vec y) { return _mm256_madd52lo_epu64(z, x, y); }
  FHE_INLINE static Vec mul_hi_add(Vec z, Vec x, Vec y) { return _mm256_madd52hi_epu64(z, x, y); }
  FHE_INLINE static Wide mul_add(Wide z, Vec x, Vec y) { return {mul_hi_add(z.high, x, y), mul_lo_add(z.low, x, y)}; }
};

}  // namespace fhe::simd

FHE_TARGET_REGION_END

#endif  // x86-64

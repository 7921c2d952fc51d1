// The vocabulary on AVX-512 with IFMA: S = 52, eight lanes of 64 bits.
//
// vpmadd52{lo,hi}uq multiply the low 52 bits of two words and add the low or high 52 bits of the product to a
// 64-bit lane. Whatever stands above bit 52 of a factor is ignored, so lazy values need no masking.
#pragma once

#if defined(__x86_64__)

#include "avx512.hpp"

FHE_TARGET_REGION_BEGIN("avx512f,avx512dq,avx512bw,avx512ifma,avx512vbmi")

namespace fhe::simd {

struct Avx512Ifma : Avx512 {
  static constexpr const char* kName = "avx512ifma";
  static constexpr int kWordBits = 52;
  static constexpr int kMaxModulusBits = 50;
  static constexpr int kLogMaxTerms = 11;  // a Wide holds 2^11 low halves below 2^52 and one 64-bit word

  static bool supported() {
    return Avx512::supported() && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512ifma") &&
           __builtin_cpu_supports("avx512vbmi");
  }

  // Words of `width` bytes, one after another: spread by one shuffle of bytes.
  struct Packed {
    const std::size_t width;
    const Vec spread;
    const __mmask64 kept;
    FHE_INLINE explicit Packed(std::size_t width)
        : width(width), spread(spread_of(width)), kept(_cvtu64_mask64(0x0101010101010101 * ((u64{1} << width) - 1))) {}
    FHE_INLINE Vec load(const unsigned char* from) const {
      return _mm512_maskz_permutexvar_epi8(kept, spread, _mm512_loadu_si512(from));
    }
    // Byte b of word k comes from byte k * width + b.
    FHE_INLINE static Vec spread_of(std::size_t width) {
      unsigned char index[64];
      for (std::size_t i = 0; i < 64; ++i) index[i] = static_cast<unsigned char>((i / 8 * width + i % 8) % 64);
      return _mm512_loadu_si512(index);
    }
  };

  struct Wide {  // high * 2^52 + low
    Vec high, low;
  };

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
};

}  // namespace fhe::simd

FHE_TARGET_REGION_END

#endif  // x86-64

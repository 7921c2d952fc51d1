// Machine words. u128 is a compiler extension that gcc and clang share on every 64-bit target.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fhe {

using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i64 = std::int64_t;
__extension__ typedef unsigned __int128 u128;

// floor(x * y / 2^64)
constexpr u64 mul_hi(u64 x, u64 y) { return static_cast<u64>((static_cast<u128>(x) * y) >> 64); }

// The b with 2^(b-1) <= x < 2^b; 0 for x = 0. For a power of two, log2(x) = bit_length(x) - 1.
constexpr int bit_length(u64 x) { return x == 0 ? 0 : 64 - __builtin_clzll(x); }

// The lowest `bits` bits of x in reverse.
constexpr u64 reverse_bits(u64 x, int bits) {
  u64 reversed = 0;
  for (int i = 0; i < bits; ++i) reversed |= ((x >> i) & 1) << (bits - 1 - i);
  return reversed;
}

// Bytes that a loop asks for ahead of time where its rows lie beyond the second-level cache: long enough for main
// memory, short enough to stay in the first level. Asking beyond the end of a row is harmless.
constexpr std::size_t kBytesAhead = 6144, kWordsAhead = 512;
// Always inline: gcc takes a function that only asks ahead for one without effects, and drops its calls.
__attribute__((always_inline)) inline void prefetch(const void* from) { __builtin_prefetch(from); }
__attribute__((always_inline)) inline void prefetch_to_write(const void* to) { __builtin_prefetch(to, 1); }

}  // namespace fhe

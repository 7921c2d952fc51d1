// Debug builds check every lane of a lazy value as an integer; release builds compile the checks to nothing.

#ifdef NDEBUG
#define FHE_CHECK_LANES(x, y, condition)
#else
#define FHE_CHECK_LANES(x, y, condition) \
  check_lanes(x, y, [&]([[maybe_unused]] u128 a, [[maybe_unused]] u128 b) { return condition; })

// Asserts condition(a, b) for the words a, b modulo 2^S in each lane of x and y.
template <class Condition>
__attribute__((noinline)) void check_lanes(Vec x, Vec y, Condition&& condition) {
  alignas(64) u64 a[Simd::kLanes], b[Simd::kLanes];
  Simd::store(a, Simd::low_word(x));
  Simd::store(b, Simd::low_word(y));
  for (int lane = 0; lane < Simd::kLanes; ++lane) assert(condition(a[lane], b[lane]));
}
#endif

// Asserts that a row is fully reduced.
inline void check_reduced([[maybe_unused]] const u64* row, [[maybe_unused]] std::size_t n,
                          [[maybe_unused]] const Modulus& q) {
#ifndef NDEBUG
  for (std::size_t i = 0; i < n; ++i) assert(row[i] < q.value);
#endif
}

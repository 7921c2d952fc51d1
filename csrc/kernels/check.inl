// Debug builds check every lane of a lazy value; release builds compile the checks to nothing.

#ifdef NDEBUG
#define FHE_CHECK_LANES(x, y, condition)
#define FHE_CHECK_REALS(x, y, condition)
#else
#define FHE_CHECK_LANES(x, y, condition) \
  check_lanes<Simd>(x, y, [&]([[maybe_unused]] u128 a, [[maybe_unused]] u128 b) { return condition; })
#define FHE_CHECK_REALS(x, y, condition) \
  check_reals<Simd>(x, y, [&]([[maybe_unused]] double a, [[maybe_unused]] double b) { return condition; })

// Asserts condition(a, b) for the words a, b modulo 2^S in each lane of x and y.
template <class S, class Condition>
__attribute__((noinline)) void check_lanes(typename S::Vec x, typename S::Vec y, Condition&& condition) {
  alignas(64) u64 a[S::kLanes], b[S::kLanes];
  S::store(a, S::low_word(x));
  S::store(b, S::low_word(y));
  for (int lane = 0; lane < S::kLanes; ++lane) assert(condition(a[lane], b[lane]));
}

// The same for doubles.
template <class S, class Condition>
__attribute__((noinline)) void check_reals(typename S::Real x, typename S::Real y, Condition&& condition) {
  alignas(64) u64 words[2][S::kLanes];
  double a[S::kLanes], b[S::kLanes];
  S::store(words[0], S::as_word(x));
  S::store(words[1], S::as_word(y));
  std::memcpy(a, words[0], sizeof a);
  std::memcpy(b, words[1], sizeof b);
  for (int lane = 0; lane < S::kLanes; ++lane) assert(condition(a[lane], b[lane]));
}
#endif

// Asserts that a row is fully reduced.
inline void check_reduced([[maybe_unused]] const u64* row, [[maybe_unused]] std::size_t n,
                          [[maybe_unused]] const Modulus& q) {
#ifndef NDEBUG
  for (std::size_t i = 0; i < n; ++i) assert(row[i] < q.value);
#endif
}

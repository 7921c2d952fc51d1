// Chains of known instructions: what a nanosecond is worth on this core, at this moment.
//
// A cycle is one link of a chain in which each addition waits for the one before. Fourteen multiplications that wait
// for nothing, each into its own register, tell how many the core starts in a cycle, and bracket every sample: they run
// at the clock that wide vectors allow, which is the one that the kernels get.
#pragma once

#include <chrono>

namespace bench {

inline double nanoseconds() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Runs of body() in a nanosecond, times `each`.
template <class Body>
double rate(double each, int runs, const Body& body) {
  const double start = nanoseconds();
  for (int i = 0; i < runs; ++i) body();
  return each * runs / (nanoseconds() - start);
}

#if defined(__x86_64__)

#define BENCH_14(op, v)                                                                                              \
  op v "15," v "14," v "0\n" op v "15," v "14," v "1\n" op v "15," v "14," v "2\n" op v "15," v "14," v "3\n" op v   \
       "15," v "14," v "4\n" op v "15," v "14," v "5\n" op v "15," v "14," v "6\n" op v "15," v "14," v "7\n" op v   \
       "15," v "14," v "8\n" op v "15," v "14," v "9\n" op v "15," v "14," v "10\n" op v "15," v "14," v "11\n" op v \
       "15," v "14," v "12\n" op v "15," v "14," v "13\n"
#define BENCH_ON_14(op, v)                                                                                        \
  __asm__ volatile(BENCH_14(op, v)::                                                                              \
                       : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
                         "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")
#define BENCH_LINK "add %1, %0\n"

inline bool wide() { return __builtin_cpu_supports("avx512ifma"); }

inline double chain_of_multiplications(int runs) {
  const double found = wide() ? rate(14, runs, [] { BENCH_ON_14("vpmadd52luq ", "%%zmm"); })
                              : rate(14, runs, [] { BENCH_ON_14("vfmadd231pd ", "%%ymm"); });
  __asm__ volatile("vzeroupper" ::: "memory");
  return found;
}

inline double chain_of_additions(int runs) {
  const double found = wide() ? rate(14, runs, [] { BENCH_ON_14("vpaddq ", "%%zmm"); })
                              : rate(14, runs, [] { BENCH_ON_14("vpaddq ", "%%ymm"); });
  __asm__ volatile("vzeroupper" ::: "memory");
  return found;
}

#elif defined(__aarch64__)

#define BENCH_ONE(op, i) op " v" #i ".2d, v30.2d, v31.2d\n"
#define BENCH_ON_14(op)                                                                                               \
  __asm__ volatile(BENCH_ONE(op, 0) BENCH_ONE(op, 1) BENCH_ONE(op, 2) BENCH_ONE(op, 3) BENCH_ONE(op, 4) BENCH_ONE(    \
                       op, 5) BENCH_ONE(op, 6) BENCH_ONE(op, 7) BENCH_ONE(op, 16) BENCH_ONE(op, 17) BENCH_ONE(op, 18) \
                       BENCH_ONE(op, 19) BENCH_ONE(op, 20) BENCH_ONE(op, 21)::                                        \
                           : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21")
#define BENCH_LINK "add %0, %0, %1\n"

inline double chain_of_multiplications(int runs) {
  return rate(14, runs, [] { BENCH_ON_14("fmla"); });
}

inline double chain_of_additions(int runs) {
  return rate(14, runs, [] { BENCH_ON_14("add"); });
}

#else
#error "the chains of known instructions are written for x86-64 and AArch64"
#endif

inline double chain_of_links(int runs) {
  unsigned long x = 3, y = 5;
  return rate(8, runs, [&] {
    __asm__ volatile(BENCH_LINK BENCH_LINK BENCH_LINK BENCH_LINK BENCH_LINK BENCH_LINK BENCH_LINK BENCH_LINK
                     : "+r"(x)
                     : "r"(y));
  });
}

}  // namespace bench

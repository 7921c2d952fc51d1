// Coefficients to evaluations: decimation in time (Cooley-Tukey) with psi merged into the twiddles, natural
// order in, the order of ring/order.hpp out. (Longa, Naehrig, ePrint 2016/504; Harvey, arXiv:1205.2926.)
//
// Depth first: a pass of radix 2, 4 or 8 over a block, then the same on each part, so that blocks end in L1.
// Blocks of 64 are finished in registers: three stages between its eight rows, a transposition, three stages
// between what were columns; the transposition is not undone.

// Vectors of each stream that a pass keeps in flight.
template <int log_radix>
constexpr int kJam = std::max(1, Simd::kInFlight >> log_radix);

// log2(radix) stages on groups of `radix` registers; `jam` independent groups hide the latencies.
// twiddle(u, t) is the one of block t + 1 - m in the stage of m blocks, m <= t + 1 < 2m, for group u.
template <bool first, int radix, int jam, class Arithmetic, class Twiddles>
FHE_INLINE inline void forward_stages(const Arithmetic& arithmetic, typename Arithmetic::Vec (&v)[jam][radix],
                                      Twiddles&& twiddle) {
  unroll<bit_length(radix) - 1>([&](auto stage) FHE_INLINE {
    constexpr int blocks = 1 << stage, distance = radix / 2 / blocks;
    constexpr Step step = Arithmetic::rules.forward_step(first, stage);
    unroll<blocks * jam>([&](auto k) FHE_INLINE {
      constexpr int u = k % jam, block = k / jam;
      const auto w = twiddle(u, blocks - 1 + block);
      unroll<distance>([&](auto j) FHE_INLINE {
        constexpr int x = 2 * block * distance + j;
        arithmetic.template forward<step>(v[u][x], v[u][x + distance], w);
      });
    });
  });
}

// One pass over a block of `length` values, in streams of length / radix.
template <bool first, int log_radix, class Arithmetic>
void forward_pass(u64* out, const u64* in, std::size_t length, const u64* twiddles, const Arithmetic& shared) {
  const Arithmetic arithmetic = shared;
  constexpr int radix = 1 << log_radix, jam = kJam<log_radix>, lanes = Arithmetic::lanes;
  const std::size_t stride = length / radix;
  for (std::size_t i = 0; i < stride; i += jam * lanes) {
    typename Arithmetic::Vec v[jam][radix];
    unroll<jam * radix>([&](auto k) FHE_INLINE {
      const u64* from = in + i + k / radix * lanes + k % radix * stride;
      v[k / radix][k % radix] = first ? arithmetic.enter(from) : arithmetic.load(from);
    });
    forward_stages<first>(arithmetic, v,
                          [&](int, int t) FHE_INLINE { return arithmetic.shared_twiddle(twiddles + 2 * t); });
    unroll<jam * radix>([&](auto k) FHE_INLINE {
      arithmetic.store(out + i + k / radix * lanes + k % radix * stride, v[k / radix][k % radix]);
    });
  }
}

// The last six stages of `count` blocks of 64. Eight rows of eight: tile[g][u][a] is lanes g of row a of block u;
// after the transposition, rows (lanes) g of column a.
template <bool first, class Arithmetic>
void forward_blocks(u64* out, const u64* in, std::size_t count, const u64* rows, const u64* lane_words,
                    const Arithmetic& shared) {
  const Arithmetic arithmetic = shared;
  constexpr int lanes = Arithmetic::lanes, groups = 8 / lanes, jam = kJam<3>;
  for (std::size_t i = 0; i < count; i += jam, in += 64 * jam, out += 64 * jam) {
    typename Arithmetic::Vec tile[groups][jam][8];
    unroll<jam * 7>([&](auto k) FHE_INLINE { prefetch(lane_words + 56 * i + 8 * k + kWordsAhead / 64 * 56); });
    for (int g = 0; g < groups; ++g) {
      unroll<jam * 8>([&](auto k) FHE_INLINE {
        const u64* from = in + 8 * k + g * lanes;
        tile[g][k / 8][k % 8] = first ? arithmetic.enter(from) : arithmetic.load(from);
      });
      forward_stages<first>(arithmetic, tile[g], [&](int u, int t) FHE_INLINE {
        return arithmetic.shared_twiddle(rows + 14 * (i + u) + 2 * t);
      });
    }
    transpose_tile(tile);
    for (int g = 0; g < groups; ++g) {
      forward_stages<false>(arithmetic, tile[g], [&](int u, int t) FHE_INLINE {
        return arithmetic.lane_twiddle(lane_words + 56 * (i + u) + 8 * t + g * lanes);
      });
      unroll<jam * 8>([&](auto k) FHE_INLINE { arithmetic.leave(out + 8 * k + g * lanes, tile[g][k / 8][k % 8]); });
    }
  }
}

template <class Arithmetic>
class ForwardTransform {
 public:
  ForwardTransform(const NttTables& tables, const Arithmetic& arithmetic)
      : ring_degree_(tables.ring_degree),
        passes_(outer_passes(tables.log_degree)),
        table_(tables.forward),
        arithmetic_(arithmetic) {}

  void run(u64* out, const u64* in) const {
    if constexpr (Simd::kMinRingDegree <= 64) {
      if (passes_.count == 0) return forward_blocks<true>(out, in, 1, table_.rows, table_.lanes, arithmetic_);
    }
    run_pass<0>(out, in, 0);
    if (ring_degree_ < 64) {
      for (u64 i = 0; i < ring_degree_; ++i) arithmetic_.leave(out + i, arithmetic_.load(out + i));
    }
  }

 private:
  // Pass `pass` on its block number `block`, then everything below it.
  template <int pass>
  void run_pass(u64* out, const u64* in, std::size_t block) const {
    constexpr bool first = pass == 0;
    const int log_radix = passes_.log_radix[pass];
    const std::size_t length = ring_degree_ >> passes_.stages_before(pass), radix = std::size_t{1} << log_radix;
    const u64* twiddles = table_.pass[pass] + 2 * (radix - 1) * block;
    switch (log_radix) {
      case 1:
        forward_pass<first, 1>(out, in, length, twiddles, arithmetic_);
        break;
      case 2:
        forward_pass<first, 2>(out, in, length, twiddles, arithmetic_);
        break;
      default:
        forward_pass<first, 3>(out, in, length, twiddles, arithmetic_);
        break;
    }
    block *= radix;
    if (pass + 1 < passes_.count) {
      const std::size_t part = length / radix;
      if constexpr (pass + 1 < kMaxOuterPasses) {
        for (std::size_t b = 0; b < radix; ++b) run_pass<pass + 1>(out + b * part, out + b * part, block + b);
      }
    } else if (ring_degree_ >= 64) {
      forward_blocks<false>(out, out, radix, table_.rows + 14 * block, table_.lanes + 56 * block, arithmetic_);
    }
  }

  const u64 ring_degree_;
  const OuterPasses passes_;
  const TwiddleTable& table_;
  const Arithmetic& arithmetic_;
};

void ntt(u64* out, const u64* in, const NttTables& tables) {
  check_reduced(in, tables.ring_degree, tables.q);
  with_arithmetic(tables.q, [&](const auto& arithmetic) { ForwardTransform(tables, arithmetic).run(out, in); });
  check_reduced(out, tables.ring_degree, tables.q);
}

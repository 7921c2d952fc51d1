// Evaluations to coefficients, N^-1 included: decimation in frequency (Gentleman-Sande), the forward network
// backwards. Depth first too: blocks of 64 in registers, then passes over what they form.

// Stages at distances 1, 2, 4, ... registers, as `schedule` (an InversePass) says. Twiddles are numbered as in
// forward_stages.
template <const auto& schedule, int radix, int jam, class Arithmetic, class Twiddles>
FHE_INLINE inline void inverse_stages(const Arithmetic& arithmetic, typename Arithmetic::Vec (&v)[jam][radix],
                                      Twiddles&& twiddle) {
  unroll<bit_length(radix) - 1>([&](auto stage) FHE_INLINE {
    constexpr int distance = 1 << stage, blocks = radix / 2 / distance;
    unroll<blocks * jam>([&](auto k) FHE_INLINE {
      constexpr int u = k % jam, block = k / jam;
      const auto w = twiddle(u, blocks - 1 + block);
      unroll<distance>([&](auto j) FHE_INLINE {
        constexpr int x = 2 * block * distance + j;
        constexpr InverseStep step = schedule.step[stage][block * distance + j];
        arithmetic.inverse(v[u][x], v[u][x + distance], w, step);
      });
    });
  });
}

// Stores register `row` of a finished pass: under the common bound, or, after the last pass of all, reduced
// and times N^-1. The twiddles of the last differences carry that factor already, the sums still need it.
template <bool last, const auto& schedule, int row, class Arithmetic>
FHE_INLINE inline void store_row(const Arithmetic& arithmetic, u64* to, typename Arithmetic::Vec x,
                                 const typename Arithmetic::Twiddle& degree_inverse) {
  if constexpr (!last) {
    arithmetic.store(to, must_reduce(Arithmetic::rules, schedule.out[row]) ? arithmetic.barrett_lazy(x) : x);
  } else {
    arithmetic.leave_product(to, row < schedule.kRadix / 2 ? arithmetic.mul(x, degree_inverse) : x);
  }
}

// Joins `radix` parts of a block of `length` values, in place.
template <bool last, int log_radix, class Arithmetic>
void inverse_pass(u64* x, std::size_t length, const u64* twiddles, const u64* degree_inverse,
                  const Arithmetic& shared) {
  static constexpr auto schedule =
      plan_inverse<log_radix>(Arithmetic::rules, Arithmetic::rules.between_inverse_passes());
  const Arithmetic arithmetic = shared;
  constexpr int radix = 1 << log_radix, jam = kJam<log_radix>, lanes = Arithmetic::lanes;
  const std::size_t stride = length / radix;
  const auto scale = arithmetic.shared_twiddle(degree_inverse);
  for (std::size_t i = 0; i < stride; i += jam * lanes) {
    typename Arithmetic::Vec v[jam][radix];
    unroll<jam * radix>([&](auto k) FHE_INLINE {
      v[k / radix][k % radix] = arithmetic.load(x + i + k / radix * lanes + k % radix * stride);
    });
    inverse_stages<schedule>(arithmetic, v,
                             [&](int, int t) FHE_INLINE { return arithmetic.shared_twiddle(twiddles + 2 * t); });
    unroll<jam * radix>([&](auto k) FHE_INLINE {
      u64* to = x + i + k / radix * lanes + k % radix * stride;
      store_row<last, schedule, k % radix>(arithmetic, to, v[k / radix][k % radix], scale);
    });
  }
}

// The first six stages of `count` blocks of 64; the tile as in forward_blocks.
template <bool last, class Arithmetic>
void inverse_blocks(u64* out, const u64* in, std::size_t count, const u64* rows, const u64* lane_words,
                    const u64* degree_inverse, const Arithmetic& shared) {
  static constexpr auto in_rows = plan_inverse<3>(Arithmetic::rules, kResidues);
  static constexpr auto between_rows = plan_inverse<3>(Arithmetic::rules, stored_range(Arithmetic::rules, in_rows));
  const Arithmetic arithmetic = shared;
  constexpr int lanes = Arithmetic::lanes, groups = 8 / lanes, jam = kJam<3>;
  const auto scale = arithmetic.shared_twiddle(degree_inverse);
  for (std::size_t i = 0; i < count; i += jam, in += 64 * jam, out += 64 * jam) {
    typename Arithmetic::Vec tile[groups][jam][8];
    unroll<jam * 8>([&](auto k) FHE_INLINE {
      prefetch(in + 8 * k + kWordsAhead);
      prefetch_to_write(out + 8 * k + kWordsAhead);
      if constexpr (k % 8 < 7) prefetch(lane_words + 56 * (i + k / 8) + 8 * (k % 8) + kWordsAhead / 64 * 56);
    });
    for (int g = 0; g < groups; ++g) {
      unroll<jam * 8>([&](auto k) FHE_INLINE { tile[g][k / 8][k % 8] = arithmetic.enter(in + 8 * k + g * lanes); });
      inverse_stages<in_rows>(arithmetic, tile[g], [&](int u, int t) FHE_INLINE {
        return arithmetic.lane_twiddle(lane_words + 56 * (i + u) + 8 * t + g * lanes);
      });
      unroll<jam * 8>([&](auto k) FHE_INLINE {
        auto& x = tile[g][k / 8][k % 8];
        if constexpr (must_reduce(Arithmetic::rules, in_rows.out[k % 8])) x = arithmetic.barrett_lazy(x);
      });
    }
    transpose_tile(tile);
    for (int g = 0; g < groups; ++g) {
      inverse_stages<between_rows>(arithmetic, tile[g], [&](int u, int t) FHE_INLINE {
        return arithmetic.shared_twiddle(rows + 14 * (i + u) + 2 * t);
      });
      unroll<jam * 8>([&](auto k) FHE_INLINE {
        store_row<last, between_rows, k % 8>(arithmetic, out + 8 * k + g * lanes, tile[g][k / 8][k % 8], scale);
      });
    }
  }
}

template <class Arithmetic>
class InverseTransform {
 public:
  InverseTransform(const NttTables& tables, const Arithmetic& arithmetic)
      : ring_degree_(tables.ring_degree),
        passes_(outer_passes(tables.log_degree)),
        table_(tables.inverse),
        degree_inverse_(tables.degree_inverse),
        arithmetic_(arithmetic) {}

  void run(u64* out, const u64* in) const {
    if constexpr (Simd::kMinRingDegree <= 64) {
      if (passes_.count == 0) {
        return inverse_blocks<true>(out, in, 1, table_.rows, table_.lanes, degree_inverse_, arithmetic_);
      }
    }
    run_pass<0>(out, in, 0);
  }

 private:
  // Everything below pass `pass` of its block number `block`, then the pass.
  template <int pass>
  void run_pass(u64* out, const u64* in, std::size_t block) const {
    constexpr bool last = pass == 0;
    const int log_radix = passes_.log_radix[pass];
    const std::size_t length = ring_degree_ >> passes_.stages_before(pass), radix = std::size_t{1} << log_radix;
    const std::size_t part = length / radix, first = radix * block;
    if (pass + 1 < passes_.count) {
      if constexpr (pass + 1 < kMaxOuterPasses) {
        for (std::size_t b = 0; b < radix; ++b) run_pass<pass + 1>(out + b * part, in + b * part, first + b);
      }
    } else if (ring_degree_ >= 64) {
      inverse_blocks<false>(out, in, radix, table_.rows + 14 * first, table_.lanes + 56 * first, degree_inverse_,
                            arithmetic_);
    } else {
      for (std::size_t i = 0; i < length; ++i) arithmetic_.store(out + i, arithmetic_.enter(in + i));
    }
    const u64* twiddles = table_.pass[pass] + 2 * (radix - 1) * block;
    switch (log_radix) {
      case 1:
        inverse_pass<last, 1>(out, length, twiddles, degree_inverse_, arithmetic_);
        break;
      case 2:
        inverse_pass<last, 2>(out, length, twiddles, degree_inverse_, arithmetic_);
        break;
      default:
        inverse_pass<last, 3>(out, length, twiddles, degree_inverse_, arithmetic_);
        break;
    }
  }

  const u64 ring_degree_;
  const OuterPasses passes_;
  const TwiddleTable& table_;
  const u64* degree_inverse_;
  const Arithmetic& arithmetic_;
};

void intt(u64* out, const u64* in, const NttTables& tables) {
  check_reduced(in, tables.ring_degree, tables.q);
  with_arithmetic(tables.q, [&](const auto& arithmetic) { InverseTransform(tables, arithmetic).run(out, in); });
  check_reduced(out, tables.ring_degree, tables.q);
}

// out[o] = sum_i rows[i] * weights[o][i] mod q[o]: the matrix product of a basis conversion.
//
// Loops: a tile of outputs x vectors lives in registers; tiles repeat over a block of columns while its rows are
// in L1 or L2; the weights of a group of outputs are prepared once and wait on the stack.

constexpr int kTileOutputs = Simd::kLanes == 1 ? 2 : 4;
constexpr int kTileVectors = Simd::kLanes == 1 ? 1 : 2;
constexpr std::size_t kWeightsAtOnce = 2048, kColumnsAtOnce = 256;

using Weight = WeightedResidues::Weight;

// The rows that a run adds up, and whether it is an output's first.
struct WeightedRun {
  const u64* const* rows;
  std::size_t terms;
  bool first;
};

template <int outputs, int vectors, bool lead>
void weighted_tile(u64* const* out, const WeightedRun& run, const Weight* weights, std::size_t begin, std::size_t end,
                   const Modulus* const* q) {
  for (std::size_t column = begin; column < end; column += vectors * Simd::kLanes) {
    WeightedResidues::Sum sum[outputs][vectors];
    unroll<outputs * vectors>([&](auto k) FHE_INLINE {
      constexpr int o = k / vectors, v = k % vectors;
      prefetch_to_write(out[o] + column + v * Simd::kLanes + kColumnsAtOnce);
      const Vec before = run.first ? Simd::broadcast(0) : Simd::load(out[o] + column + v * Simd::kLanes);
      sum[o][v] = WeightedResidues::start(*q[o], before);
    });
    const Weight* weight = weights;
    for (std::size_t i = 0; i < run.terms; ++i, weight += outputs) {
      WeightedResidues::Row x[vectors];
      unroll<vectors>([&](auto v) FHE_INLINE {
        const u64* const from = run.rows[i] + column + v * Simd::kLanes;
        if constexpr (lead) prefetch(from + kColumnsAtOnce);
        x[v] = WeightedResidues::row(from);
      });
      unroll<outputs>([&](auto o) FHE_INLINE {
        const auto w = WeightedResidues::broadcast(weight[o]);
        unroll<vectors>([&](auto v) FHE_INLINE { WeightedResidues::add_product(sum[o][v], x[v], w); });
      });
    }
    unroll<outputs>([&](auto o) FHE_INLINE {
      const WeightedResidues r(*q[o]);
      unroll<vectors>([&](auto v) FHE_INLINE { Simd::store(out[o] + column + v * Simd::kLanes, r.finish(sum[o][v])); });
    });
  }
}

// One run for a group of outputs, whose weights lie tile by tile.
template <int vectors>
void weighted_group(u64* const* out, std::size_t outputs, const WeightedRun& run, const Weight* weights, std::size_t n,
                    const Modulus* const* q) {
  for (std::size_t begin = 0; begin < n; begin += kColumnsAtOnce) {
    const std::size_t end = std::min(n, begin + kColumnsAtOnce);
    for (std::size_t o = 0; o < outputs; o += kTileOutputs) {
      const std::size_t tile = std::min<std::size_t>(kTileOutputs, outputs - o);
      unroll<kTileOutputs>([&](auto k) {
        if (tile != k + 1) return;
        const auto sums = o == 0 ? weighted_tile<k + 1, vectors, true> : weighted_tile<k + 1, vectors, false>;
        sums(out + o, run, weights + o * run.terms, begin, end, q + o);
      });
    }
  }
}

void weighted_sums(u64* const* out, std::size_t outputs, const u64* const* rows, std::size_t inputs, const u64* weights,
                   std::size_t n, const Modulus* const* q) {
  Weight words[kWeightsAtOnce];
  std::size_t longest = kWeightsAtOnce / kTileOutputs;
  for (std::size_t o = 0; o < outputs; ++o) longest = std::min(longest, WeightedResidues::terms_of_a_sum(*q[o]));
  longest = std::min(longest, inputs);
  const std::size_t group = kWeightsAtOnce / longest / kTileOutputs * kTileOutputs;
  for (std::size_t o = 0; o < outputs; o += group) {
    const std::size_t members = std::min(group, outputs - o);
    for (std::size_t start = 0; start < inputs; start += longest) {
      const WeightedRun run{rows + start, std::min(longest, inputs - start), start == 0};
      for (std::size_t k = 0; k < members; ++k) {
        const std::size_t tile = k / kTileOutputs * kTileOutputs,
                          width = std::min<std::size_t>(kTileOutputs, members - tile);
        Weight* column = words + tile * run.terms + (k - tile);
        for (std::size_t i = 0; i < run.terms; ++i) {
          const u64 w = weights[(o + k) * inputs + start + i];
          column[i * width] = WeightedResidues::weight(*q[o + k], w);
        }
      }
      if (n >= kTileVectors * Simd::kLanes) {
        weighted_group<kTileVectors>(out + o, members, run, words, n, q + o);
      } else {
        weighted_group<1>(out + o, members, run, words, n, q + o);
      }
    }
  }
}

// sum_j xs[j] * ys[j]: exact sums in two words, one reduction for each run of terms.

template <int jam>
void inner_product_of(u64* out, const u64* const* xs, const u64* const* ys, std::size_t terms, std::size_t n,
                      const Modulus& q) {
  const WideResidues r(q);
  const std::size_t run = WideResidues::terms_of_a_sum(q);
  for (std::size_t i = 0; i < n; i += jam * Simd::kLanes) {
    Vec sum[jam];
    unroll<jam>([&](auto u) FHE_INLINE { sum[u] = Simd::broadcast(0); });
    for (std::size_t start = 0; start < terms; start += run) {
      WideResidues::Sum z[jam];
      unroll<jam>([&](auto u) FHE_INLINE { z[u] = r.start(sum[u]); });
      for (std::size_t j = start; j < std::min(start + run, terms); ++j) {
        const u64 *x = xs[j] + i, *y = ys[j] + i;
        unroll<jam>([&](auto u) FHE_INLINE { z[u] = r.add_product(z[u], x + u * Simd::kLanes, y + u * Simd::kLanes); });
      }
      unroll<jam>([&](auto u) FHE_INLINE { sum[u] = r.finish(z[u]); });
    }
    unroll<jam>([&](auto u) FHE_INLINE { Simd::store(out + i + u * Simd::kLanes, sum[u]); });
  }
}

void inner_product(u64* out, const u64* const* xs, const u64* const* ys, std::size_t terms, std::size_t n,
                   const Modulus& q) {
  if (n >= 4 * Simd::kLanes) return inner_product_of<4>(out, xs, ys, terms, n, q);
  inner_product_of<1>(out, xs, ys, terms, n, q);
}

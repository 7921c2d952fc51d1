// sum_j xs[j] * ys[j]: exact sums in two words, one reduction for each run of terms.

// out[o] = sum_j xs[j] * ys[o][j]: the factors that several sums share are read once.
template <int outputs, int jam>
void inner_products(u64* const (&out)[outputs], const u64* const* xs, const u64* const* const (&ys)[outputs],
                    std::size_t terms, std::size_t n, const Modulus& q) {
  const WideResidues r(q);
  const std::size_t run = WideResidues::terms_of_a_sum(q);
  for (std::size_t i = 0; i < n; i += jam * Simd::kLanes) {
    Vec sum[outputs * jam];
    unroll<outputs * jam>([&](auto k) FHE_INLINE { sum[k] = Simd::broadcast(0); });
    for (std::size_t start = 0; start < terms; start += run) {
      WideResidues::Sum z[outputs * jam];
      unroll<outputs * jam>([&](auto k) FHE_INLINE { z[k] = r.start(sum[k]); });
      for (std::size_t j = start; j < std::min(start + run, terms); ++j) {
        unroll<outputs * jam>([&](auto k) FHE_INLINE {
          const std::size_t column = i + k % jam * Simd::kLanes;
          const u64* const y = ys[k / jam][j] + column;
          prefetch(y + kWordsAhead);
          z[k] = r.add_product(z[k], xs[j] + column, y);
        });
      }
      unroll<outputs * jam>([&](auto k) FHE_INLINE { sum[k] = r.finish(z[k]); });
    }
    unroll<outputs * jam>([&](auto k) FHE_INLINE { Simd::store(out[k / jam] + i + k % jam * Simd::kLanes, sum[k]); });
  }
}

void inner_product(u64* out, const u64* const* xs, const u64* const* ys, std::size_t terms, std::size_t n,
                   const Modulus& q) {
  if (n >= 4 * Simd::kLanes) return inner_products<1, 4>({out}, xs, {ys}, terms, n, q);
  inner_products<1, 1>({out}, xs, {ys}, terms, n, q);
}

void inner_product_pair(u64* first, u64* second, const u64* const* xs, const u64* const* first_ys,
                        const u64* const* second_ys, std::size_t terms, std::size_t n, const Modulus& q) {
  if (n >= 2 * Simd::kLanes) return inner_products<2, 2>({first, second}, xs, {first_ys, second_ys}, terms, n, q);
  inner_products<2, 1>({first, second}, xs, {first_ys, second_ys}, terms, n, q);
}

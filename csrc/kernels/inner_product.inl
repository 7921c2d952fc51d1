// sum_j xs[j] * ys[j]: exact double-word sums, one reduction for each run of terms.

// Products of residues that one Wide takes on top of a residue: D (q-1)^2 + q - 1 < D 2^(2b) <= 2^(2S).
inline std::size_t terms_of_a_run(const Modulus& q) {
  return std::size_t{1} << std::min(Simd::kLogMaxTerms, 2 * (Simd::kWordBits - q.bits));
}

template <int jam>
void inner_product_of(u64* out, const u64* const* xs, const u64* const* ys, std::size_t terms, std::size_t n,
                      const Modulus& q) {
  const WideResidues r(q);
  const std::size_t run = terms_of_a_run(q);
  for (std::size_t i = 0; i < n; i += jam * Simd::kLanes) {
    Vec sum[jam];
    unroll<jam>([&](auto u) FHE_INLINE { sum[u] = Simd::broadcast(0); });
    for (std::size_t start = 0; start < terms; start += run) {
      typename Simd::Wide z[jam];
      unroll<jam>([&](auto u) FHE_INLINE { z[u] = Simd::widen(sum[u]); });
      for (std::size_t j = start; j < std::min(start + run, terms); ++j) {
        const u64 *x = xs[j] + i, *y = ys[j] + i;
        unroll<jam>([&](auto u) FHE_INLINE {
          z[u] = Simd::mul_add(z[u], load_once(x + u * Simd::kLanes), load_once(y + u * Simd::kLanes));
        });
      }
      unroll<jam>([&](auto u) FHE_INLINE { sum[u] = r.reduce_wide(z[u]); });
    }
    unroll<jam>([&](auto u) FHE_INLINE { Simd::store(out + i + u * Simd::kLanes, sum[u]); });
  }
}

void inner_product(u64* out, const u64* const* xs, const u64* const* ys, std::size_t terms, std::size_t n,
                   const Modulus& q) {
  if (n >= 4 * Simd::kLanes) return inner_product_of<4>(out, xs, ys, terms, n, q);
  inner_product_of<1>(out, xs, ys, terms, n, q);
}

// v = floor(0.5 + sum_i rows[i] * r_i) in IEEE doubles: each product and each sum rounded, in the order of the
// rows, never contracted to a fused multiply-add, so that every target and the reference agree to the last bit.

template <int jam>
void quotient_of(u64* v, const u64* const* rows, const double* reciprocals, std::size_t inputs, std::size_t n) {
  const typename Simd::Real half = Simd::broadcast_real(0.5);
  for (std::size_t k = 0; k < n; k += jam * Simd::kLanes) {
    typename Simd::Real sum[jam];
    unroll<jam>([&](auto u) FHE_INLINE { sum[u] = Simd::broadcast_real(0.0); });
    for (std::size_t i = 0; i < inputs; ++i) {
      const typename Simd::Real reciprocal = Simd::broadcast_real(reciprocals[i]);
      unroll<jam>([&](auto u) FHE_INLINE {
        const Vec x = Simd::load(rows[i] + k + u * Simd::kLanes);
        sum[u] = Simd::real_add(sum[u], Simd::real_mul(Simd::to_real(x), reciprocal));
      });
    }
    unroll<jam>([&](auto u) FHE_INLINE {
      Simd::store(v + k + u * Simd::kLanes, Simd::truncate(Simd::real_add(sum[u], half)));
    });
  }
}

void quotient(u64* v, const u64* const* rows, const double* reciprocals, std::size_t inputs, std::size_t n) {
  if (n >= 4 * Simd::kLanes) return quotient_of<4>(v, rows, reciprocals, inputs, n);
  quotient_of<1>(v, rows, reciprocals, inputs, n);
}

// v = floor(0.5 + s) with s = sum_i rows[i] * r_i in IEEE doubles, and s - v: each product and each sum rounded, in the
// order of the rows, never contracted to a fused multiply-add, so that every target and the reference agree to the last
// bit.

template <int jam, bool with_rest>
void quotient_of(u64* v, double* rest, const u64* const* rows, const double* reciprocals, std::size_t inputs,
                 std::size_t n) {
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
      const Vec floor = Simd::truncate(Simd::real_add(sum[u], half));
      Simd::store(v + k + u * Simd::kLanes, floor);
      if constexpr (with_rest)
        Simd::store_real(rest + k + u * Simd::kLanes, Simd::real_sub(sum[u], Simd::to_real(floor)));
    });
  }
}

void quotient(u64* v, double* rest, const u64* const* rows, const double* reciprocals, std::size_t inputs,
              std::size_t n) {
  const bool wide = n >= 4 * Simd::kLanes;
  const auto sums = rest == nullptr ? (wide ? quotient_of<4, false> : quotient_of<1, false>)
                                    : (wide ? quotient_of<4, true> : quotient_of<1, true>);
  sums(v, rest, rows, reciprocals, inputs, n);
}

// out = sum_i a_i q_0 ... q_(i-1) for the balanced mixed radix digits a_i = rows[i] - (q_i - 1)/2, as a double.
//
// Horner's rule from the last digit on, in pairs (high, low) whose sum is the number (T. J. Dekker, Numerische
// Mathematik 18, 1971): the product and the sum of what is high are split into what a double holds and what it lost;
// all that was lost is added up, each operation rounded, and joined. Every number is 2^-64 of what it stands for and is
// kept within 2^965, so that nothing overflows before the end: what was cut off is beyond 2^1029, and infinite there.
//
// While the number is below 2^100, everything lost is an integer below 2^50: all but the last sum is exact.

template <int jam>
void mixed_radix_of(double* out, const u64* const* rows, const u64* moduli, std::size_t digits, std::size_t n) {
  using Real = typename Simd::Real;
  const Real unit = Simd::broadcast_real(0x1p-64), back = Simd::broadcast_real(0x1p64);
  for (std::size_t k = 0; k < n; k += jam * Simd::kLanes) {
    Real high[jam], low[jam];
    unroll<jam>([&](auto u) FHE_INLINE { high[u] = low[u] = Simd::broadcast_real(0.0); });
    for (std::size_t i = digits; i-- > 0;) {
      const Real q = Simd::broadcast_real(static_cast<double>(moduli[i]));
      const Real half = Simd::broadcast_real(static_cast<double>(moduli[i] / 2));
      unroll<jam>([&](auto u) FHE_INLINE {
        const Vec digit = Simd::load(rows[i] + k + u * Simd::kLanes);
        const Real a = Simd::real_mul(Simd::real_sub(Simd::to_real(digit), half), unit);
        const Real product = Simd::real_mul(high[u], q), error = Simd::product_error(high[u], q, product);
        const Real sum = Simd::real_add(product, a), lost = Simd::real_sub(a, Simd::real_sub(sum, product));
        const Real rest = Simd::real_add(Simd::real_add(Simd::real_mul(low[u], q), error), lost);
        const Real joined = Simd::real_add(sum, rest);
        low[u] = Simd::real_sub(rest, Simd::real_sub(joined, sum));
        high[u] = Simd::within(joined, 0x1p965);
      });
    }
    unroll<jam>([&](auto u)
                    FHE_INLINE { Simd::store_real(out + k + u * Simd::kLanes, Simd::real_mul(high[u], back)); });
  }
}

void mixed_radix(double* out, const u64* const* rows, const u64* moduli, std::size_t digits, std::size_t n) {
  if (n >= 4 * Simd::kLanes) return mixed_radix_of<4>(out, rows, moduli, digits, n);
  mixed_radix_of<1>(out, rows, moduli, digits, n);
}

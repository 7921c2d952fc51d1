// Loops over register arrays, unrolled by construction: the index is a constant expression.

template <int count, class Body, int... index>
FHE_INLINE inline void unroll_over(Body&& body, std::integer_sequence<int, index...>) {
  (body(std::integral_constant<int, index>{}), ...);
}

template <int count, class Body>
FHE_INLINE inline void unroll(Body&& body) {
  unroll_over<count>(body, std::make_integer_sequence<int, count>{});
}

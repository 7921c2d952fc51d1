// Entry by entry: sums, differences and products of residues in [0, q).

template <class Operation>
inline void for_each_vector(std::size_t n, Operation&& operation) {
  for (std::size_t i = 0; i < n; i += Simd::kLanes) operation(i);
}

void add(u64* out, const u64* x, const u64* y, std::size_t n, const Modulus& q) {
  const Residues r(q);
  for_each_vector(n, [&](std::size_t i) FHE_INLINE {
    Simd::store(out + i, r.correct(Simd::add(Simd::load(x + i), Simd::load(y + i))));
  });
}

void sub(u64* out, const u64* x, const u64* y, std::size_t n, const Modulus& q) {
  const Residues r(q);
  for_each_vector(n, [&](std::size_t i) FHE_INLINE {
    const Vec difference = Simd::sub(Simd::load(x + i), Simd::load(y + i));
    Simd::store(out + i, Simd::min(difference, Simd::add(difference, r.q)));  // a negative one is huge
  });
}

void neg(u64* out, const u64* x, std::size_t n, const Modulus& q) {
  const Residues r(q);
  for_each_vector(
      n, [&](std::size_t i) FHE_INLINE { Simd::store(out + i, r.correct(Simd::sub(r.q, Simd::load(x + i)))); });
}

void add_scalar(u64* out, const u64* x, u64 c, std::size_t n, const Modulus& q) {
  const Residues r(q);
  const Vec addend = Simd::broadcast(c);
  for_each_vector(
      n, [&](std::size_t i) FHE_INLINE { Simd::store(out + i, r.correct(Simd::add(Simd::load(x + i), addend))); });
}

void mul(u64* out, const u64* x, const u64* y, std::size_t n, const Modulus& q) {
  const Residues r(q);
  with_tightness(q, [&](auto tight) {
    for_each_vector(n, [&](std::size_t i) FHE_INLINE {
      const auto product = Simd::mul_add(Simd::widen(Simd::broadcast(0)), load_once(x + i), load_once(y + i));
      Simd::store(out + i, r.reduce_product<tight>(product));
    });
  });
}

// x y + z <= (q - 1)^2 + q - 1 < 2^(2b): one reduction does.
void mul_add(u64* out, const u64* x, const u64* y, const u64* z, std::size_t n, const Modulus& q) {
  const Residues r(q);
  with_tightness(q, [&](auto tight) {
    for_each_vector(n, [&](std::size_t i) FHE_INLINE {
      const auto sum = Simd::mul_add(Simd::widen(Simd::load(z + i)), load_once(x + i), load_once(y + i));
      Simd::store(out + i, r.reduce_product<tight>(sum));
    });
  });
}

void mul_scalar(u64* out, const u64* x, u64 w, std::size_t n, const Modulus& q) {
  const Residues r(q);
  const Vec factor = Simd::broadcast(w), shoup = Simd::broadcast(shoup_word(q, w));
  for_each_vector(
      n, [&](std::size_t i) FHE_INLINE { Simd::store(out + i, r.mul_shoup(load_once(x + i), factor, shoup)); });
}

// x - y + q in (0, 2q) is below 2^S, so its product with w is in [0, 2q).
void sub_mul_scalar(u64* out, const u64* x, const u64* y, u64 w, std::size_t n, const Modulus& q) {
  const Residues r(q);
  const Vec factor = Simd::broadcast(w), shoup = Simd::broadcast(shoup_word(q, w));
  for_each_vector(n, [&](std::size_t i) FHE_INLINE {
    const Vec difference = Simd::add(Simd::sub(Simd::load(x + i), Simd::load(y + i)), r.q);
    Simd::store(out + i, r.mul_shoup(difference, factor, shoup));
  });
}

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
  for_each_vector(n, [&](std::size_t i)
                         FHE_INLINE { Simd::store(out + i, r.lift(Simd::sub(Simd::load(x + i), Simd::load(y + i)))); });
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
  with_products(q, [&](const auto& r) {
    for_each_vector(n,
                    [&](std::size_t i) FHE_INLINE { Simd::store(out + i, r.mul(load_once(x + i), load_once(y + i))); });
  });
}

void mul_add(u64* out, const u64* x, const u64* y, const u64* z, std::size_t n, const Modulus& q) {
  with_products(q, [&](const auto& r) {
    for_each_vector(n, [&](std::size_t i) FHE_INLINE {
      Simd::store(out + i, r.mul_add(load_once(x + i), load_once(y + i), Simd::load(z + i)));
    });
  });
}

void mul_scalar(u64* out, const u64* x, u64 w, std::size_t n, const Modulus& q) {
  const Residues r(q);
  const auto factor = r.factor(q, w);
  for_each_vector(n, [&](std::size_t i) FHE_INLINE { Simd::store(out + i, r.mul(load_once(x + i), factor)); });
}

// x - y + q is in (0, 2q), which is below 2^S.
void sub_mul_scalar(u64* out, const u64* x, const u64* y, u64 w, std::size_t n, const Modulus& q) {
  const Residues r(q);
  const auto factor = r.factor(q, w);
  for_each_vector(n, [&](std::size_t i) FHE_INLINE {
    const Vec difference = Simd::add(Simd::sub(Simd::load(x + i), Simd::load(y + i)), r.q);
    Simd::store(out + i, r.mul(difference, factor));
  });
}

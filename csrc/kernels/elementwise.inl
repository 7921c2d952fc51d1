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

void from_signed(u64* out, const u64* x, u64 shift, std::size_t n, const Modulus& q) {
  const Residues r(q);
  const Vec subtrahend = Simd::broadcast(shift);
  for_each_vector(
      n, [&](std::size_t i) FHE_INLINE { Simd::store(out + i, r.lift(Simd::sub(Simd::load(x + i), subtrahend))); });
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

// x - y + q, in (0, 2q), which is below 2^S.
FHE_INLINE inline Vec positive_difference(const Residues& r, Vec x, Vec y) { return Simd::add(Simd::sub(x, y), r.q); }

void sub_mul_scalar(u64* out, const u64* x, const u64* y, u64 w, std::size_t n, const Modulus& q) {
  const Residues r(q);
  const auto factor = r.factor(q, w);
  for_each_vector(n, [&](std::size_t i) FHE_INLINE {
    const Vec difference = positive_difference(r, Simd::load(x + i), Simd::load(y + i));
    Simd::store(out + i, r.mul(difference, factor));
  });
}

void sub_mul_scalar_add(u64* out, const u64* x, const u64* y, u64 w, const u64* z, u64 v, std::size_t n,
                        const Modulus& q) {
  const Residues r(q);
  const auto factor = r.factor(q, w), factor_z = r.factor(q, v);
  for_each_vector(n, [&](std::size_t i) FHE_INLINE {
    const Vec difference = positive_difference(r, Simd::load(x + i), Simd::load(y + i));
    Simd::store(out + i, r.correct(Simd::add(r.mul(difference, factor), r.mul(load_once(z + i), factor_z))));
  });
}

void tensor(u64* const* out, const u64* const* x, const u64* const* y, std::size_t n, const Modulus& q) {
  with_products(q, [&](const auto& r) {
    for_each_vector(n, [&](std::size_t i) FHE_INLINE {
      const Vec x0 = load_once(x[0] + i), x1 = load_once(x[1] + i), y0 = load_once(y[0] + i), y1 = load_once(y[1] + i);
      Simd::store(out[0] + i, r.mul(x0, y0));
      Simd::store(out[1] + i, r.mul_add(x0, y1, r.mul(x1, y0)));
      Simd::store(out[2] + i, r.mul(x1, y1));
    });
  });
}

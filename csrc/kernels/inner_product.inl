// Sums of products of rows: exact in two words, one reduction for each run of terms.

// sum_j xs[j] * ys[j]
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
        unroll<jam>([&](auto u) FHE_INLINE {
          z[u] = r.add_product(z[u], r.row(load_once(x + u * Simd::kLanes)), r.row(load_once(y + u * Simd::kLanes)));
        });
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

// (sum_j xs[j] * b_j, sum_j xs[j] * a_j) on jam vectors from a column on, `key` where the first digit keeps its b.
template <int jam>
FHE_INLINE inline void key_product_of(const WideResidues& r, u64* b, u64* a, const u64* const* xs, std::size_t terms,
                                      std::size_t run, const unsigned char* key, std::size_t half,
                                      const Simd::Packed& packed, std::size_t column) {
  Vec sum[2][jam];
  unroll<2 * jam>([&](auto k) FHE_INLINE { sum[k / jam][k % jam] = Simd::broadcast(0); });
  for (std::size_t start = 0; start < terms; start += run) {
    WideResidues::Sum z[2][jam];
    unroll<2 * jam>([&](auto k) FHE_INLINE { z[k / jam][k % jam] = r.start(sum[k / jam][k % jam]); });
    for (std::size_t j = start; j < std::min(start + run, terms); ++j, key += 2 * half) {
      WideResidues::Row x[jam];
      unroll<jam>([&](auto u) FHE_INLINE { x[u] = r.row(load_once(xs[j] + column + u * Simd::kLanes)); });
      unroll<2 * jam>([&](auto k) FHE_INLINE {
        const unsigned char* const y = key + k / jam * half + k % jam * Simd::kLanes * packed.width;
        prefetch(y + kBytesAhead);
        z[k / jam][k % jam] = r.add_product(z[k / jam][k % jam], x[k % jam], r.row(packed.load(y)));
      });
    }
    unroll<2 * jam>([&](auto k) FHE_INLINE { sum[k / jam][k % jam] = r.finish(z[k / jam][k % jam]); });
  }
  unroll<jam>([&](auto u) FHE_INLINE {
    Simd::store(b + column + u * Simd::kLanes, sum[0][u]);
    Simd::store(a + column + u * Simd::kLanes, sum[1][u]);
  });
}

// What both sums share is loaded once, and the key, which comes from main memory, is one stream.
void key_product(u64* b, u64* a, const u64* const* xs, std::size_t terms, const PackedRows& key, std::size_t n,
                 const Modulus& q) {
  constexpr int jam = Simd::kLanes == 1 ? 1 : 2;
  const WideResidues r(q);
  const Simd::Packed packed(key.width);
  const std::size_t run = WideResidues::terms_of_a_sum(q), columns = std::min(n, kKeyColumns);
  const std::size_t half = columns * key.width;
  const unsigned char* bytes = key.bytes;
  for (std::size_t start = 0; start < n; start += columns, bytes += key.stride)
    for (std::size_t i = 0; i < columns; i += jam * Simd::kLanes)
      key_product_of<jam>(r, b, a, xs, terms, run, bytes + i * key.width, half, packed, start + i);
}

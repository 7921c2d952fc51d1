// out[k] = in[index[k]]: a permutation of a row, as automorphisms of evaluations are.

void gather(u64* out, const u64* in, const u32* index, std::size_t n) {
  for_each_vector(n, [&](std::size_t i) FHE_INLINE { Simd::store(out + i, Simd::gather(in, index + i)); });
}

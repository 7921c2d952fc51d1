// out[k] = in[index[k]]: a permutation of a row, as automorphisms of evaluations are. Word by word on every
// target: vector gathers are no faster where they are fast (Intel), and twice slower where they are not (Zen).

void gather(u64* out, const u64* in, const u32* index, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 8) {
    unroll<8>([&](auto k) FHE_INLINE { out[i + k] = in[index[i + k]]; });
  }
}

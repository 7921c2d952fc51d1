// The transposition of 8 x 8 words in vectors of any length: tile[g][u][a] is lanes g of row a of block u before, and
// rows (lanes) g of column a after. Square parts of lanes x lanes are transposed in registers and change places.

template <int groups, int jam, class Register>
FHE_INLINE inline void transpose_tile(Register (&tile)[groups][jam][8]) {
  constexpr int lanes = 8 / groups;
  unroll<jam * groups>([&](auto k) FHE_INLINE {
    constexpr int u = k / groups, g = k % groups;
    unroll<g + 1>([&](auto h) FHE_INLINE {
      Register below[lanes], above[lanes];
      unroll<lanes>([&](auto i) FHE_INLINE {
        below[i] = tile[g][u][lanes * h + i];
        above[i] = tile[h][u][lanes * g + i];
      });
      Simd::transpose(below);
      if constexpr (g != h) Simd::transpose(above);
      unroll<lanes>([&](auto i) FHE_INLINE {
        if constexpr (g != h) tile[g][u][lanes * h + i] = above[i];
        tile[h][u][lanes * g + i] = below[i];
      });
    });
  });
}

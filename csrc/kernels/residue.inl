// Reductions modulo q on vectors: the constants of one prime, and what they make of a range.

// A load for several uses: gcc would repeat it as a memory operand of each.
FHE_INLINE inline Vec load_once(const u64* from) {
  Vec x = Simd::load(from);
  Simd::settle(x);
  return x;
}

struct Residues {
  u64 value;       // q
  int bits;        // b
  Vec q, minus_q;  // minus_q counts modulo 2^S
  Vec ratio;       // floor(2^S / q)
  Vec barrett;     // floor(2^(b+S-2) / q)

  explicit Residues(const Modulus& modulus)
      : value(modulus.value),
        bits(modulus.bits),
        q(Simd::broadcast(value)),
        minus_q(Simd::broadcast(0 - value)),
        ratio(Simd::broadcast(modulus.one_shoup >> (64 - Simd::kWordBits))),
        barrett(Simd::broadcast(modulus.barrett >> (64 - Simd::kWordBits))) {}

  // [0, 2q) to [0, q).
  FHE_INLINE Vec correct(Vec x) const { return Simd::min(x, Simd::sub(x, q)); }

  // x mod 2^S, whatever is above it, to the same residue in [0, q (1 + x / 2^S)), modulo 2^S.
  FHE_INLINE Vec barrett_lazy(Vec x) const {
    return Simd::mul_lo_add(x, Simd::mul_hi_add(Simd::broadcast(0), x, ratio), minus_q);
  }

  // x mod 2^S to [0, q).
  FHE_INLINE Vec reduce(Vec x) const { return correct(Simd::low_word(barrett_lazy(x))); }

  // z + x w to z + [0, q (1 + x / 2^S)), modulo 2^S, for w' = floor(w 2^S / q). (Shoup.)
  FHE_INLINE Vec mul_shoup_lazy(Vec z, Vec x, Vec w, Vec w_shoup) const {
    const Vec quotient = Simd::mul_hi_add(Simd::broadcast(0), x, w_shoup);
    return Simd::mul_lo_add(Simd::mul_lo_add(z, x, w), quotient, minus_q);
  }

  // x w to [0, q) for x < 2^S.
  FHE_INLINE Vec mul_shoup(Vec x, Vec w, Vec w_shoup) const {
    return correct(Simd::low_word(mul_shoup_lazy(Simd::broadcast(0), x, w, w_shoup)));
  }

  // z < 2^(2b) to [0, q): `Modulus::reduce_product` with S in place of 64. The quotient falls short by less than
  // 2^(b-2)/q + 2^(b+2-S) + 1, which is at most 2 where b <= S - 3, and below 3 (`tight`) elsewhere.
  template <bool tight>
  FHE_INLINE Vec reduce_product(typename Simd::Wide z) const {
    const Vec quotient = Simd::mul_hi_add(Simd::broadcast(0), Simd::shift_right(z, bits - 2), barrett);
    const Vec x = Simd::low_word(Simd::mul_lo_add(Simd::low(z), quotient, minus_q));
    return tight ? correct(correct(x)) : correct(x);
  }
};

// floor(w 2^S / q).
inline u64 shoup_word(const Modulus& q, u64 w) { return q.shoup(w) >> (64 - Simd::kWordBits); }

// Reduces double words: `Modulus::reduce(u128)` with S in place of 64.
struct WideResidues : Residues {
  Vec radix, radix_shoup;  // 2^S mod q

  explicit WideResidues(const Modulus& modulus) : Residues(modulus) {
    const u64 word = Simd::kWordBits == 64 ? modulus.radix : modulus.reduce(static_cast<u64>(kWordEnd));
    radix = Simd::broadcast(word);
    radix_shoup = Simd::broadcast(shoup_word(modulus, word));
  }

  // z = z_1 2^S + z_0 < 2^(2S) to [0, q): both lazy products, by 2^S and by 1, share a quotient and are in
  // [0, 4q) together.
  FHE_INLINE Vec reduce_wide(typename Simd::Wide z) const {
    const Vec high = Simd::high(z), low = Simd::low(z);
    const Vec quotient = Simd::mul_hi_add(Simd::mul_hi_add(Simd::broadcast(0), high, radix_shoup), low, ratio);
    const Vec x = Simd::low_word(Simd::mul_lo_add(Simd::mul_lo_add(low, high, radix), quotient, minus_q));
    return correct(Simd::min(x, Simd::sub(x, Simd::add(q, q))));
  }
};

// Runs body(std::bool_constant<tight>) for the `reduce_product` that this prime needs.
template <class Body>
inline void with_tightness(const Modulus& q, Body&& body) {
  if (q.bits <= Simd::kWordBits - 3) {
    body(std::false_type{});
  } else {
    body(std::true_type{});
  }
}

// Residues as integers modulo 2^S: the constants of one prime, what they make of a range, products and their sums.
//
// The kernels on rows ask for: Residues, to correct a sum and to multiply by a known Factor; `with_products`, to
// multiply two residues; WideResidues, for inner products; WeightedResidues and Weight, for sums of products with known
// weights.

// A load for several uses: gcc would repeat it as a memory operand of each.
FHE_INLINE inline Vec load_once(const u64* from) {
  Vec x = Simd::load(from);
  Simd::settle(x);
  return x;
}

// floor(w 2^S / q).
inline u64 shoup_word(const Modulus& q, u64 w) { return q.shoup(w) >> (64 - Simd::kWordBits); }

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
  // [-q, q) to [0, q): a negative one is huge.
  FHE_INLINE Vec lift(Vec x) const { return Simd::min(Simd::add(x, q), x); }

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

  struct Factor {
    Vec w, shoup;
  };
  static Factor factor(const Modulus& modulus, u64 w) {
    return {Simd::broadcast(w), Simd::broadcast(shoup_word(modulus, w))};
  }
  // x w to [0, q) for x < 2^S.
  FHE_INLINE Vec mul(Vec x, const Factor& w) const {
    return correct(Simd::low_word(mul_shoup_lazy(Simd::broadcast(0), x, w.w, w.shoup)));
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

// Sums of products as double words, reduced by `Modulus::reduce(u128)` with S in place of 64.
struct WideResidues : Residues {
  using Sum = typename Simd::Wide;

  Vec radix, radix_shoup;  // 2^S mod q

  explicit WideResidues(const Modulus& modulus) : Residues(modulus) {
    const u64 word = Simd::kWordBits == 64 ? modulus.radix : modulus.reduce(static_cast<u64>(kWordEnd));
    radix = Simd::broadcast(word);
    radix_shoup = Simd::broadcast(shoup_word(modulus, word));
  }

  // Products of residues that one Sum takes on top of a residue: D (q-1)^2 + q - 1 < D 2^(2b) <= 2^(2S).
  static std::size_t terms_of_a_sum(const Modulus& q) {
    return std::size_t{1} << std::min(Simd::kLogMaxTerms, 2 * (Simd::kWordBits - q.bits));
  }

  FHE_INLINE Sum start(Vec x) const { return Simd::widen(x); }
  using Row = Vec;
  FHE_INLINE static Row row(Vec x) { return x; }
  FHE_INLINE static Sum add_product(Sum z, Vec x, Vec y) { return Simd::mul_add(z, x, y); }

  // z = z_1 2^S + z_0 < 2^(2S) to [0, q): both lazy products, by 2^S and by 1, share a quotient and are in
  // [0, 4q) together.
  FHE_INLINE Vec finish(Sum z) const {
    const Vec high = Simd::high(z), low = Simd::low(z);
    const Vec quotient = Simd::mul_hi_add(Simd::mul_hi_add(Simd::broadcast(0), high, radix_shoup), low, ratio);
    const Vec x = Simd::low_word(Simd::mul_lo_add(Simd::mul_lo_add(low, high, radix), quotient, minus_q));
    return correct(Simd::min(x, Simd::sub(x, Simd::add(q, q))));
  }
};

// Multiplies two residues, for the `reduce_product` that a prime needs.
template <bool tight>
struct Products : Residues {
  using Residues::Residues;

  FHE_INLINE Vec mul(Vec x, Vec y) const { return mul_add(x, y, Simd::broadcast(0)); }
  // x y + z <= (q - 1)^2 + q - 1 < 2^(2b): one reduction does.
  FHE_INLINE Vec mul_add(Vec x, Vec y, Vec z) const {
    return reduce_product<tight>(Simd::mul_add(Simd::widen(z), x, y));
  }
};

// Runs body(products) with the Products of this prime.
template <class Body>
inline void with_products(const Modulus& q, Body&& body) {
  if (q.bits <= Simd::kWordBits - 3) {
    body(Products<false>(q));
  } else {
    body(Products<true>(q));
  }
}

// Sums of products with known weights: Shoup's T = x w - floor(x w' / 2^S) q in [0, q (1 + x / 2^S)), but only the sums
// of the two halves are kept, sum x w and sum floor(x w' / 2^S), both modulo 2^S, and q is taken off once: two
// multiplications a term. Rows are below 2^(S-2), so T < 5q/4, and a sum of D terms on top of a residue stays in
// [0, 2^S) while 1 + 5D/4 <= 2^(S-b).
struct WeightedResidues : Residues {
  using Residues::Residues;
  using Factor = Residues::Factor;
  using Row = Vec;
  struct Weight {
    u64 w, shoup;
  };
  struct Sum {
    Vec products, quotients;
  };

  static std::size_t terms_of_a_sum(const Modulus& q) {
    return ((std::size_t{1} << std::min(16, Simd::kWordBits - q.bits)) - 1) * 4 / 5;
  }
  static Weight weight(const Modulus& q, u64 w) { return {w, shoup_word(q, w)}; }
  FHE_INLINE static Factor broadcast(const Weight& weight) {
    return {Simd::broadcast(weight.w), Simd::broadcast(weight.shoup)};
  }
  FHE_INLINE static Row row(const u64* from) { return load_once(from); }

  FHE_INLINE static Sum start(const Modulus&, Vec x) { return {x, Simd::broadcast(0)}; }
  FHE_INLINE static void add_product(Sum& sum, Row x, const Factor& w) {
    sum.quotients = Simd::mul_hi_add(sum.quotients, x, w.shoup);
    sum.products = Simd::mul_lo_add(sum.products, x, w.w);
  }
  FHE_INLINE Vec finish(const Sum& sum) const { return reduce(Simd::mul_lo_add(sum.products, sum.quotients, minus_q)); }
};

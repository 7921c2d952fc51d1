// The arithmetic of a transform on signed doubles: Shoup's multiplication by a known twiddle, rounded to nearest,
// with fused multiply-adds. What it provides is listed in kernels/shoup.inl, why it is exact in kernels/real_rules.hpp.
//
// Between passes a row holds doubles where it held words.

template <int headroom>
struct RealShoup : Residues {
  static constexpr RealRules rules{headroom};
  static constexpr int lanes = Simd::kLanes;
  using Vec = Simd::Real;

  struct Twiddle {
    Vec w, ratio;  // in (-q/2, q/2), and w / q
  };

  using Residues::Residues;

  FHE_INLINE static Twiddle shared_twiddle(const u64* pair) {
    return {Simd::as_real(Simd::broadcast(pair[1])), Simd::as_real(Simd::broadcast(pair[0]))};
  }
  FHE_INLINE Twiddle lane_twiddle(const u64* words) const {
    const Vec w = load(words);
    return {w, Simd::real_mul(w, reciprocal)};
  }

  FHE_INLINE static Vec load(const u64* from) { return Simd::as_real(Simd::load(from)); }
  FHE_INLINE static void store(u64* to, Vec x) { Simd::store(to, Simd::as_word(x)); }
  FHE_INLINE void leave(u64* to, Vec x) const { leave_product(to, reduce(x)); }
  FHE_INLINE void leave_product(u64* to, Vec x) const { Simd::store(to, Residues::leave(x)); }
  FHE_INLINE Vec barrett_lazy(Vec x) const { return reduce(x); }

  FHE_INLINE Vec mul(Vec y, const Twiddle& w) const {
    FHE_CHECK_REALS(y, y, std::abs(a) <= 0x1p52);
    return product_minus(y, w.w, round_product(y, w.ratio));
  }

  // (X, Y) to (X + T, X - T) with T = w Y.
  template <Step step>
  FHE_INLINE void forward(Vec& x, Vec& y, const Twiddle& w) const {
    if constexpr (step == Step::kReduce) x = reduce(x);
    const Vec t = mul(y, w);
    FHE_CHECK_REALS(x, t, std::abs(a) + std::abs(b) <= 0x1p53);
    y = Simd::real_sub(x, t);
    x = Simd::real_add(x, t);
  }

  // (X, Y) to (X + Y, w (X - Y)).
  FHE_INLINE void inverse(Vec& x, Vec& y, const Twiddle& w, InverseStep step) const {
    if (step.reduce_x) x = reduce(x);
    if (step.reduce_y) y = reduce(y);
    FHE_CHECK_REALS(x, y, std::abs(a) + std::abs(b) <= 0x1p53);
    const Vec difference = Simd::real_sub(x, y);
    x = Simd::real_add(x, y);
    y = mul(difference, w);
  }
};

// Runs body(arithmetic) with the arithmetic of this prime's class.
template <class Body>
inline void with_arithmetic(const Modulus& q, Body&& body) {
  if (RealRules::headroom_class(q.bits) == 4) {
    body(RealShoup<4>(q));
  } else {
    body(RealShoup<2>(q));
  }
}

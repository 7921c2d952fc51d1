// The arithmetic of a transform on integers modulo 2^S: Shoup's multiplication by a known twiddle.
//
// A transform asks its arithmetic for: how residues enter, rest in memory between passes, and leave; Twiddle and
// how to load one; the forward butterfly of each Step, the inverse butterfly of each InverseStep, and the lazy
// reduction; and for the rules, kernels/shoup_rules.hpp here, that decide the steps and prove the ranges.

template <int headroom>
struct Shoup : Residues {
  static constexpr ShoupRules rules{headroom};
  static constexpr int lanes = Simd::kLanes;
  using Vec = Simd::Vec;

  struct Twiddle {
    Vec w, shoup;
  };

  const Vec one = Simd::broadcast(1);
  const Vec forward_multiple;  // c q of the forward schedule

  explicit Shoup(const Modulus& modulus) : Residues(modulus), forward_multiple(multiple(rules.forward_offset())) {}

  FHE_INLINE Vec multiple(int k) const { return Simd::broadcast(static_cast<u64>(k) * value); }

  FHE_INLINE static Twiddle shared_twiddle(const u64* pair) {
    return {Simd::broadcast(pair[0]), Simd::broadcast(pair[1])};
  }
  // w = 1 + floor(w' q / 2^S), for w' q = w 2^S - (w 2^S mod q), and the last term is in [1, q).
  FHE_INLINE Twiddle lane_twiddle(const u64* shoup) const {
    const Vec w_shoup = Simd::load(shoup);
    return {Simd::mul_hi_add(one, w_shoup, q), w_shoup};
  }

  FHE_INLINE static Vec enter(const u64* from) { return load_once(from); }
  FHE_INLINE static Vec load(const u64* from) { return load_once(from); }
  FHE_INLINE static void store(u64* to, Vec x) { Simd::store(to, x); }
  FHE_INLINE void leave(u64* to, Vec x) const { Simd::store(to, reduce(x)); }
  // The same for a product with a twiddle, already below 2q.
  FHE_INLINE void leave_product(u64* to, Vec x) const { Simd::store(to, correct(Simd::low_word(x))); }
  FHE_INLINE Vec mul(Vec x, const Twiddle& w) const { return mul_shoup_lazy(Simd::broadcast(0), x, w.w, w.shoup); }

  // (X, Y) to (X + T, X - T) with T = w Y: five instructions where the step is plain, none of them a comparison.
  template <Step step>
  FHE_INLINE void forward(Vec& x, Vec& y, const Twiddle& w) const {
    constexpr bool strict = step == Step::kStrict;
    if constexpr (step == Step::kReduce || strict) x = barrett_lazy(x);
    if constexpr (step == Step::kOffset || step == Step::kReduce) x = Simd::add(x, forward_multiple);
    Vec twice = Simd::add(x, x);
    if constexpr (strict) twice = Simd::add(twice, forward_multiple);
    Simd::settle(twice);
    const Vec sum = mul_shoup_lazy(x, y, w.w, w.shoup);
    FHE_CHECK_LANES(x, Simd::sub(sum, x), a + b < kWordEnd && b <= a + (strict ? 2 * u128{value} : 0));
    x = sum;
    y = Simd::sub(twice, sum);
  }

  // (X, Y) to (X + Y, w (X - Y)).
  FHE_INLINE void inverse(Vec& x, Vec& y, const Twiddle& w, InverseStep step) const {
    if (step.reduce_x) x = barrett_lazy(x);
    if (step.reduce_y) y = barrett_lazy(y);
    FHE_CHECK_LANES(x, y, a + b < kWordEnd && a + step.offset * u128{value} - b < kWordEnd);
    Vec difference = Simd::sub(x, y);
    if (step.offset != 0) difference = Simd::add(difference, multiple(step.offset));
    x = Simd::add(x, y);
    y = mul_shoup_lazy(step.lift ? multiple(2) : Simd::broadcast(0), difference, w.w, w.shoup);
  }
};

// Runs body(arithmetic) with the arithmetic of this prime's class.
template <class Body>
inline void with_arithmetic(const Modulus& q, Body&& body) {
  const int headroom = ShoupRules::headroom_class(Simd::kWordBits, q.bits);
  if (headroom == 6) {
    body(Shoup<6>(q));
  } else if (headroom == 4) {
    body(Shoup<4>(q));
  } else if constexpr (Simd::kMaxModulusBits > Simd::kWordBits - 4) {
    body(Shoup<2>(q));
  }
}

// Residues as doubles: exact products as pairs of doubles, their sums, and their reduction modulo q. Provides what
// kernels/residue.inl provides on integers, for primes and rows below 2^50.

// A load for several uses.
FHE_INLINE inline Vec load_once(const u64* from) { return Simd::load(from); }

struct Residues {
  using Real = Simd::Real;

  u64 value;        // q
  Vec q;            // as a word
  Real modulus;     // as a double
  Real reciprocal;  // fl(1 / q)
  Real magic = Simd::broadcast_real(0x1.8p52);

  explicit Residues(const Modulus& prime)
      : value(prime.value),
        q(Simd::broadcast(value)),
        modulus(Simd::broadcast_real(static_cast<double>(value))),
        reciprocal(Simd::broadcast_real(prime.reciprocal)) {}

  // [0, 2q) to [0, q).
  FHE_INLINE Vec correct(Vec x) const { return Simd::min(x, Simd::sub(x, q)); }
  // [-q, q) to [0, q).
  FHE_INLINE Vec lift(Vec x) const { return Simd::min(Simd::add(x, q), x); }

  FHE_INLINE static Real enter(const u64* from) { return Simd::to_real_exact(Simd::load(from)); }
  // Integers in [-q, q) to words in [0, q).
  FHE_INLINE Vec leave(Real x) const { return lift(Simd::to_word(x)); }

  // The integer next to x y, for |x y| <= 2^51: where 2^52 + 2^51 is added, a double's last bit is worth 1.
  FHE_INLINE Real round_product(Real x, Real y) const { return Simd::real_sub(Simd::fma(x, y, magic), magic); }

  // |x| <= 2^53 to |x| <= q (1/2 + |x / q| / 2^53).
  FHE_INLINE Real reduce(Real x) const { return Simd::fnma(round_product(x, reciprocal), modulus, x); }

  // x y - k q, exactly, for an integer k that brings it below 2^52: kernels/real_rules.hpp.
  FHE_INLINE Real product_minus(Real x, Real y, Real k) const {
    const Real high = Simd::real_mul(x, y), minus_low = Simd::fnma(x, y, high);
    return Simd::real_sub(Simd::fnma(k, modulus, high), minus_low);
  }

  struct Factor {
    Real w, ratio;  // w in [0, q), and w / q
  };
  static Factor factor(const Modulus& prime, u64 w) {
    const double factor = static_cast<double>(w);
    return {Simd::broadcast_real(factor), Simd::broadcast_real(factor / static_cast<double>(prime.value))};
  }
  // x w to [0, q) for x < 2^51: the quotient is off by at most 1/2 + 2^51 / 2^54.
  FHE_INLINE Vec mul(Vec x, const Factor& w) const {
    const Real y = Simd::to_real_exact(x);
    return leave(product_minus(y, w.w, round_product(y, w.ratio)));
  }

  FHE_INLINE Vec mul(Vec x, Vec y) const { return mul_add(x, y, Simd::broadcast(0)); }
  // x y + z < 2^50 q: two roundings on the way to the quotient, which is off by less than 1/2 + 2^50 * 2 / 2^53.
  FHE_INLINE Vec mul_add(Vec x, Vec y, Vec z) const {
    const Real a = Simd::to_real_exact(x), b = Simd::to_real_exact(y), c = Simd::to_real_exact(z);
    const Real quotient = round_product(Simd::fma(a, b, c), reciprocal);
    return leave(Simd::real_add(product_minus(a, b, quotient), c));
  }
};

// Runs body(products) with what multiplies two residues.
template <class Body>
inline void with_products(const Modulus& q, Body&& body) {
  body(Residues(q));
}

// Sums of products x y of words x < 2^50 and y < q, D at a time on top of a residue: `high` adds up on 1.5 * 2^(52+k),
// so that each step rounds to a multiple of 2^k, and `low` adds up what each rounding left, at most 2^(k-1).
//
// For D = 2^d, d <= (54 - b) / 2, and k = b - 1 + d:
//   high - 1.5 * 2^(52+k) <= D 2^50 q < 2^(51+k)      stays in its binade, so every step and difference is exact
//   |low| <= q + D 2^(k-1) = q + D^2 2^(b-2) < 2^53   exact
// The quotient by q, below 2^(50+d), is rounded to a multiple of 2^d, and off by at most D/2 + D/8. What is left is
// below q (5D/8 + 1) + D^2 2^(b-2) <= 2^53, since 5D/8 + 1 <= 4 * 2^(50-b) and D^2 <= 2^(54-b).
struct RealSum {
  Simd::Real high, low;

  static int log_terms(const Modulus& q) { return std::min(8, (54 - q.bits) / 2); }
  // 1.5 * 2^(52 + k)
  FHE_INLINE static Simd::Real magic(int k) {
    return Simd::as_real(Simd::broadcast(static_cast<u64>(1023 + 52 + k) << 52 | u64{1} << 51));
  }

  FHE_INLINE static RealSum start(const Modulus& q, Vec x) {
    return {magic(q.bits - 1 + log_terms(q)), Simd::to_real_exact(x)};
  }
  FHE_INLINE void add_product(Simd::Real x, Simd::Real y) {
    const Simd::Real sum = Simd::fma(x, y, high);
    low = Simd::real_add(low, Simd::fma(x, y, Simd::real_sub(high, sum)));
    high = sum;
  }
  FHE_INLINE Vec finish(const Residues& r, const Modulus& q) const {
    const Simd::Real base = magic(q.bits - 1 + log_terms(q)), round = magic(log_terms(q));
    const Simd::Real sum = Simd::real_sub(high, base);
    const Simd::Real quotient = Simd::real_sub(Simd::fma(sum, r.reciprocal, round), round);
    return r.leave(r.reduce(Simd::real_add(Simd::fnma(quotient, r.modulus, sum), low)));
  }
};

struct WideResidues : Residues {
  using Sum = RealSum;
  const Modulus& prime;

  explicit WideResidues(const Modulus& q) : Residues(q), prime(q) {}

  static std::size_t terms_of_a_sum(const Modulus& q) { return std::size_t{1} << RealSum::log_terms(q); }

  FHE_INLINE Sum start(Vec x) const { return RealSum::start(prime, x); }
  using Row = Real;
  FHE_INLINE static Row row(Vec x) { return Simd::to_real_exact(x); }
  FHE_INLINE static Sum add_product(Sum sum, Real x, Real y) {
    sum.add_product(x, y);
    return sum;
  }
  FHE_INLINE Vec finish(const Sum& sum) const { return sum.finish(*this, prime); }
};

struct WeightedResidues : WideResidues {
  using WideResidues::WideResidues;
  using Row = Real;
  using Weight = double;

  static Weight weight(const Modulus&, u64 w) { return static_cast<double>(w); }
  FHE_INLINE static Real broadcast(Weight weight) { return Simd::broadcast_real(weight); }
  FHE_INLINE static Row row(const u64* from) { return enter(from); }

  FHE_INLINE static Sum start(const Modulus& q, Vec x) { return RealSum::start(q, x); }
  FHE_INLINE static void add_product(Sum& sum, Row x, Real w) { sum.add_product(x, w); }
};

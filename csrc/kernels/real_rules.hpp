// What signed doubles bear inside a transform, and where that makes it reduce.
//
// Values are integers known modulo q, kept exactly as doubles. A product with a twiddle |w| < q/2, w* = fl(w / q), is
//
//   k = round(y w*)      one fused multiply-add onto 1.5 * 2^52, where a double's last bit is worth 1: exact
//                        rounding of the exact product, for |y w*| <= 2^51
//   h + l = y w          h rounded, l = fma(y, w, -h) the exact rest
//   T = (h - k q) + l    h - k q = T - l is an integer below 2^53, so fma(-k, q, h) is exact, and so is the sum
//
// for |y| <= 2^52. With |w* - w/q| <= 2^-53 (lanes, whose w* is w * fl(1/q): 2^-54 from fl(1/q), 2^-55 from the
// product; shared twiddles are rounded once) |k - y w / q| <= 1/2 + |y| / 2^53, that is |T| <= q (1/2 + |y| / 2^53).
// The rest: |y w| < 2^(51+b), |l| <= 2^(b-2), and |T - l| < 2^53 for b <= 50. Sums X + T need to stay within 2^53.
// A reduction is X - round(X fl(1/q)) q, and its quotient is off by at most 1/2 + |X / q| / 2^52.
//
// With b bits of modulus, 2^52 > 2^(52-b) q: the *headroom* 52 - b, in classes 4 and 2, decides what has to be done.
#pragma once

#include "schedule.hpp"

namespace fhe {

struct RealRules {
  int headroom;

  static constexpr int kWordBits = 52;
  static constexpr int kMaxModulusBits = 50;
  // The class of a prime: the largest of 4, 2 that 52 - modulus_bits reaches.
  static constexpr int headroom_class(int modulus_bits) { return kWordBits - modulus_bits >= 4 ? 4 : 2; }

  constexpr bool fits(Range range) const { return magnitude(range) <= kUnit << (headroom + 1); }
  constexpr bool fits_factor(Range range) const { return magnitude(range) <= kUnit << headroom; }
  // q (1/2 + |y| / 2^53), where |y| / q = m gives |y| / 2^53 <= m / 2^(headroom + 1).
  constexpr Range product(Range y) const {
    const i64 high = kUnit / 2 + (magnitude(y) >> (headroom + 1)) + 1;
    return {-high, high};
  }
  constexpr Range reduced(Range x) const {
    const i64 high = kUnit / 2 + (magnitude(x) >> 52) + 1;
    return {-high, high};
  }

  constexpr Step forward_step(bool first_pass, int stage_of_pass) const {
    return headroom == 2 && !first_pass && stage_of_pass == 0 ? Step::kReduce : Step::kPlain;
  }
  constexpr Range forward_stage(Range xy, Step step) const {
    const Range x = step == Step::kReduce ? reduced(xy) : xy, t = product(xy);
    return {x.low + t.low, x.high + t.high};
  }

  constexpr Range between_inverse_passes() const { return {-2 * kUnit, 2 * kUnit}; }
  constexpr i64 lifted() const { return 0; }
  constexpr int inverse_offset(Range, Range) const { return 0; }
};

static_assert(forward_fits_all(RealRules{4}) && forward_fits_all(RealRules{2}));
static_assert(inverse_fits_all(RealRules{4}) && inverse_fits_all(RealRules{2}));

}  // namespace fhe

// What integers modulo 2^S bear inside a transform, and where that makes it reduce.
//
// Values are integers known modulo q, kept modulo 2^S. Put LIM = 2^S / q. With b bits of modulus, LIM > 2^(S-b):
// the *headroom* S - b, in classes 6, 4 and 2, decides alone what has to be done. A transform is right when each
// value, as an integer, stays in [0, 2^S): nothing is lost modulo 2^S.
// Every multiplication by a twiddle w is T = w y - floor(w' y / 2^S) q with w' = floor(w 2^S / q), and
// 0 <= T < q (1 + y / 2^S); every reduction (Barrett's) is the same with w = 1.
#pragma once

#include "schedule.hpp"

namespace fhe {

struct ShoupRules {
  int headroom;

  // The class of a prime: the largest of 6, 4, 2 that word_bits - modulus_bits reaches.
  static constexpr int headroom_class(int word_bits, int modulus_bits) {
    const int headroom = word_bits - modulus_bits;
    return headroom >= 6 ? 6 : headroom >= 4 ? 4 : 2;
  }

  constexpr bool fits(Range range) const { return range.low >= 0 && range.high <= kUnit << headroom; }
  constexpr bool fits_factor(Range range) const { return fits(range); }
  constexpr Range product(Range y) const { return {0, kUnit + ((y.high + (i64{1} << headroom) - 1) >> headroom)}; }
  constexpr Range reduced(Range x) const { return product(x); }

  // --- forward: plain where T <= X and X + T < 2^S ---

  // c, in multiples of q.
  constexpr int forward_offset() const { return headroom == 6 ? 30 : headroom == 4 ? 6 : 2; }

  constexpr Step forward_step(bool first_pass, int stage_of_pass) const {
    if (headroom == 2) return Step::kStrict;
    if (stage_of_pass != 0) return Step::kPlain;
    if (first_pass) return Step::kOffset;
    return headroom == 4 ? Step::kReduce : Step::kPlain;
  }

  // One stage from a common range of X and Y to that of X' and Y'.
  constexpr Range forward_stage(Range xy, Step step) const {
    const Range t = product(xy);
    const i64 offset = forward_offset() * kUnit;
    const Range x = step == Step::kReduce || step == Step::kStrict ? reduced(xy) : xy;
    if (step == Step::kStrict) return {x.low + offset - t.high, x.high + (offset > t.high ? offset : t.high)};
    const Range raised = step == Step::kPlain ? x : x + offset;
    return {raised.low - t.high, raised.high + t.high};
  }

  // --- inverse ---

  // Every value between two passes is in [0, inverse_bound q).
  constexpr int inverse_bound() const { return headroom == 6 ? 8 : headroom == 4 ? 4 : 2; }
  constexpr Range between_inverse_passes() const { return {0, inverse_bound() * kUnit}; }
  constexpr i64 lifted() const { return 2 * kUnit; }
  // What keeps X - Y from going negative.
  constexpr int inverse_offset(Range x, Range y) const {
    return x.low >= y.high ? 0 : static_cast<int>((y.high - x.low + kUnit - 1) / kUnit);
  }
};

static_assert(forward_fits_all(ShoupRules{6}) && forward_fits_all(ShoupRules{4}) && forward_fits_all(ShoupRules{2}));
static_assert(inverse_fits_all(ShoupRules{6}) && inverse_fits_all(ShoupRules{4}) && inverse_fits_all(ShoupRules{2}));

}  // namespace fhe

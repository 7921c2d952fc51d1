// Where a transform reduces: passes, steps, offsets, and the bound recursion that proves them.
//
// Values inside a transform are integers known modulo q, kept modulo 2^S. Put LIM = 2^S / q. With b bits of
// modulus, LIM > 2^(S-b): the *headroom* S - b, in classes 6, 4 and 2, decides alone what has to be done.
// A transform is right when each value, as an integer, stays in [0, 2^S): nothing is lost modulo 2^S.
// Every multiplication by a twiddle w is T = w y - floor(w' y / 2^S) q with w' = floor(w 2^S / q), and
// 0 <= T < q (1 + y / 2^S); every Barrett reduction is the same with w = 1.
//
// csrc/README.md has the resulting table; tests/laws/test_schedules.py evaluates the recursion once more.
#pragma once

#include "../word.hpp"

namespace fhe {

inline constexpr int kMaxLogDegree = 17;
inline constexpr int kBlockLog = 6;  // the last six stages run inside a block of 64
inline constexpr int kMaxOuterPasses = 4;

// The class of a prime: the largest of 6, 4, 2 that word_bits - modulus_bits reaches.
constexpr int headroom_class(int word_bits, int modulus_bits) {
  const int headroom = word_bits - modulus_bits;
  return headroom >= 6 ? 6 : headroom >= 4 ? 4 : 2;
}

// --- passes -------------------------------------------------------------------------------------------------

// log2 of the radix of each pass outside the 64-blocks, widest stride first.
struct OuterPasses {
  int count;
  int log_radix[kMaxOuterPasses];

  constexpr int stages_before(int pass) const {
    int stages = 0;
    for (int i = 0; i < pass; ++i) stages += log_radix[i];
    return stages;
  }
};

// Radix 8 keeps two interleaved groups in 32 registers; more streams than 8 at strides of 4 KiB or more would
// contend for the ways of one L1 set, so radix 16 is used nowhere. Rings below 64 have outer passes alone.
constexpr OuterPasses outer_passes(int log_degree) {
  OuterPasses passes{0, {}};
  int stages = log_degree < kBlockLog ? log_degree : log_degree - kBlockLog;
  while (stages > 0) {
    const int log_radix = stages == 1 ? 1 : stages == 2 || stages == 4 ? 2 : 3;
    passes.log_radix[passes.count++] = log_radix;
    stages -= log_radix;
  }
  return passes;
}

// --- bounds ---------------------------------------------------------------------------------------------------

// What is known of a value: low * q <= value <= high * q, in units of q / kUnit, rounded outwards.
struct Range {
  i64 low, high;
};
inline constexpr i64 kUnit = 1 << 20;

constexpr i64 limit(int headroom) { return kUnit << headroom; }
constexpr bool fits(Range range, int headroom) { return range.low >= 0 && range.high <= limit(headroom); }
// The range of w y - floor(w' y / 2^S) q.
constexpr Range product(Range y, int headroom) {
  return {0, kUnit + ((y.high + (i64{1} << headroom) - 1) >> headroom)};
}

// --- forward: X' = X + T, Y' = X - T = 2 X - X', T = w Y ----------------------------------------------------

enum class Step {
  kPlain,   // nothing: X, Y in [0, 2^S) with T <= X and X + T < 2^S
  kOffset,  // X += c q: once, in the first stage
  kReduce,  // X = barrett(X) + c q
  kStrict,  // X = barrett(X), Y' = 2 X + 2 q - X'
};

// c, in multiples of q.
constexpr int forward_offset(int headroom) { return headroom == 6 ? 30 : headroom == 4 ? 6 : 2; }

constexpr Step forward_step(int headroom, bool first_pass, int stage_of_pass) {
  if (headroom == 2) return Step::kStrict;
  if (stage_of_pass != 0) return Step::kPlain;
  if (first_pass) return Step::kOffset;
  return headroom == 4 ? Step::kReduce : Step::kPlain;
}

// One stage from a common range of X and Y to that of X' and Y'.
constexpr Range forward_stage(Range xy, Step step, int headroom) {
  const Range t = product(xy, headroom);
  const i64 offset = forward_offset(headroom) * kUnit;
  Range x = xy;
  if (step == Step::kReduce || step == Step::kStrict) x = product(x, headroom);
  if (step == Step::kStrict) return {x.low + offset - t.high, x.high + (offset > t.high ? offset : t.high)};
  if (step == Step::kOffset || step == Step::kReduce) x = {x.low + offset, x.high + offset};
  return {x.low - t.high, x.high + t.high};
}

constexpr bool forward_fits_passes(Range& range, OuterPasses passes, bool first, int headroom) {
  for (int pass = 0; pass < passes.count; ++pass) {
    for (int stage = 0; stage < passes.log_radix[pass]; ++stage) {
      range = forward_stage(range, forward_step(headroom, first && pass == 0, stage), headroom);
      if (!fits(range, headroom)) return false;
    }
  }
  return true;
}

constexpr bool forward_fits(int log_degree, int headroom) {
  Range range{0, kUnit};
  const OuterPasses outer = outer_passes(log_degree), block{log_degree < kBlockLog ? 0 : 2, {3, 3}};
  return forward_fits_passes(range, outer, true, headroom) &&
         forward_fits_passes(range, block, outer.count == 0, headroom);
}

constexpr bool forward_fits_all() {
  for (int log_degree = 1; log_degree <= kMaxLogDegree; ++log_degree) {
    for (int headroom = 2; headroom <= 6; headroom += 2) {
      if (!forward_fits(log_degree, headroom)) return false;
    }
  }
  return true;
}
static_assert(forward_fits_all());

// --- inverse: X' = X + Y, Y' = w (X - Y) ------------------------------------------------------------------------
//
// The sums double from stage to stage, so ranges differ from register to register: the schedule of a pass
// says for each butterfly what to reduce first and which multiple of q keeps X - Y from going negative.

// Every value between two passes is in [0, inverse_bound * q).
constexpr int inverse_bound(int headroom) { return headroom == 6 ? 8 : headroom == 4 ? 4 : 2; }

struct InverseStep {
  bool reduce_x, reduce_y;  // Barrett first
  int offset;               // multiple of q added to X - Y
  bool lift;                // T starts at 2 q: it will play X next, and then needs the smaller offset
};

template <int log_radix>
struct InversePass {
  static constexpr int kRadix = 1 << log_radix;
  InverseStep step[log_radix][kRadix / 2];  // butterfly b * distance + j of its stage
  Range out[kRadix];
  bool fits;
};

constexpr int inverse_offset(Range x, Range y) {
  return x.low >= y.high ? 0 : static_cast<int>((y.high - x.low + kUnit - 1) / kUnit);
}

// Plans one butterfly and updates the ranges of its two registers.
constexpr InverseStep inverse_step(Range& x, Range& y, bool lift, int headroom) {
  InverseStep step{false, false, 0, lift};
  for (;;) {
    step.offset = inverse_offset(x, y);
    const bool fit = x.high + step.offset * kUnit - y.low <= limit(headroom) && x.high + y.high <= limit(headroom);
    if (fit || (step.reduce_x && step.reduce_y)) break;
    const bool choose_x = !step.reduce_x && (step.reduce_y || x.high >= y.high);
    (choose_x ? step.reduce_x : step.reduce_y) = true;
    (choose_x ? x : y) = product(choose_x ? x : y, headroom);
  }
  const Range difference{x.low + step.offset * kUnit - y.high, x.high + step.offset * kUnit - y.low};
  const i64 start = lift ? 2 * kUnit : 0;
  x = {x.low + y.low, x.high + y.high};
  y = {start, start + product(difference, headroom).high};
  return step;
}

// The schedule of log_radix stages, distances 1, 2, 4, ... registers, on registers of one common range.
template <int log_radix>
constexpr InversePass<log_radix> plan_inverse(int headroom, Range in) {
  InversePass<log_radix> pass{};
  pass.fits = true;
  for (Range& range : pass.out) range = in;
  for (int stage = 0; stage < log_radix; ++stage) {
    const int distance = 1 << stage;
    for (int k = 0; k < pass.kRadix / 2; ++k) {
      const int x = k / distance * 2 * distance + k % distance, y = x + distance;
      const bool lift = stage + 1 < log_radix && (y & (2 * distance)) == 0;
      pass.step[stage][k] = inverse_step(pass.out[x], pass.out[y], lift, headroom);
      pass.fits = pass.fits && fits(pass.out[x], headroom) && fits(pass.out[y], headroom);
    }
  }
  return pass;
}

// The range of a stored value: one Barrett reduction brings those above the common bound back under it.
constexpr bool must_reduce(Range range, int headroom) { return range.high > inverse_bound(headroom) * kUnit; }

template <int log_radix>
constexpr Range stored_range(const InversePass<log_radix>& pass, int headroom) {
  Range all{0, 0};
  for (const Range& out : pass.out) {
    const Range stored = must_reduce(out, headroom) ? product(out, headroom) : out;
    if (stored.high > all.high) all.high = stored.high;
  }
  return all;
}

constexpr Range inverse_input(int headroom) { return {0, inverse_bound(headroom) * kUnit}; }

template <int log_radix>
constexpr bool inverse_fits(int headroom, Range in) {
  const InversePass<log_radix> pass = plan_inverse<log_radix>(headroom, in);
  return pass.fits && stored_range(pass, headroom).high <= inverse_bound(headroom) * kUnit;
}

constexpr bool inverse_fits_all() {
  for (int headroom = 2; headroom <= 6; headroom += 2) {
    const Range in = inverse_input(headroom), block = stored_range(plan_inverse<3>(headroom, {0, kUnit}), headroom);
    if (!inverse_fits<1>(headroom, in) || !inverse_fits<2>(headroom, in) || !inverse_fits<3>(headroom, in) ||
        !inverse_fits<3>(headroom, block)) {
      return false;
    }
  }
  return true;
}
static_assert(inverse_fits_all());

}  // namespace fhe

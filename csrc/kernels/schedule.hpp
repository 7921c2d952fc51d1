// Where a transform reduces: passes, steps, and the plan of an inverse pass, for any arithmetic.
//
// What an arithmetic can bear is said by its rules, kernels/shoup_rules.hpp (integers) and kernels/real_rules.hpp
// (doubles): which ranges fit, and what a product or a reduction makes of a range. A transform is right when every
// value fits at every step; the recursion here proves it for each ring degree and class of primes.
//
// csrc/README.md has the resulting table; tests/laws/test_schedules.py evaluates the recursion once more.
#pragma once

#include "../word.hpp"

namespace fhe {

inline constexpr int kMaxLogDegree = 17;
inline constexpr int kBlockLog = 6;  // the last six stages run inside a block of 64
inline constexpr int kMaxOuterPasses = 4;

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
inline constexpr Range kResidues{0, kUnit};

constexpr Range operator+(Range x, Range y) { return {x.low + y.low, x.high + y.high}; }
constexpr Range operator-(Range x, Range y) { return {x.low - y.high, x.high - y.low}; }
constexpr Range operator+(Range x, i64 c) { return {x.low + c, x.high + c}; }
constexpr i64 magnitude(Range x) { return x.high > -x.low ? x.high : -x.low; }

// --- forward: X' = X + T, Y' = X - T, T = w Y ---------------------------------------------------------------

enum class Step {
  kPlain,   // nothing
  kOffset,  // X += c q: once, in the first stage
  kReduce,  // X reduced, and + c q
  kStrict,  // X reduced, Y' = 2 X + 2 q - X'
};

template <class Rules>
constexpr bool forward_fits_passes(const Rules& rules, Range& range, OuterPasses passes, bool first) {
  for (int pass = 0; pass < passes.count; ++pass) {
    for (int stage = 0; stage < passes.log_radix[pass]; ++stage) {
      if (!rules.fits_factor(range)) return false;
      range = rules.forward_stage(range, rules.forward_step(first && pass == 0, stage));
      if (!rules.fits(range)) return false;
    }
  }
  return true;
}

template <class Rules>
constexpr bool forward_fits(const Rules& rules, int log_degree) {
  Range range = kResidues;
  const OuterPasses outer = outer_passes(log_degree), block{log_degree < kBlockLog ? 0 : 2, {3, 3}};
  return forward_fits_passes(rules, range, outer, true) && forward_fits_passes(rules, range, block, outer.count == 0);
}

template <class Rules>
constexpr bool forward_fits_all(const Rules& rules) {
  for (int log_degree = 1; log_degree <= kMaxLogDegree; ++log_degree) {
    if (!forward_fits(rules, log_degree)) return false;
  }
  return true;
}

// --- inverse: X' = X + Y, Y' = w (X - Y) ------------------------------------------------------------------------
//
// The sums double from stage to stage, so ranges differ from register to register: the schedule of a pass
// says for each butterfly what to reduce first, and which multiple of q keeps X - Y in range.

struct InverseStep {
  bool reduce_x, reduce_y;  // first
  int offset;               // multiple of q added to X - Y
  bool lift;                // T starts at rules.lifted(): it will play X next, and then needs the smaller offset
  bool fits;
};

template <int log_radix>
struct InversePass {
  static constexpr int kRadix = 1 << log_radix;
  InverseStep step[log_radix][kRadix / 2];  // butterfly b * distance + j of its stage
  Range out[kRadix];
  bool fits;
};

// Plans one butterfly and updates the ranges of its two registers.
template <class Rules>
constexpr InverseStep plan_butterfly(const Rules& rules, Range& x, Range& y, bool lift) {
  InverseStep step{false, false, 0, lift, false};
  for (;;) {
    step.offset = rules.inverse_offset(x, y);
    step.fits = rules.fits(x + y) && rules.fits_factor(x - y + step.offset * kUnit);
    if (step.fits || (step.reduce_x && step.reduce_y)) break;
    const bool choose_x = !step.reduce_x && (step.reduce_y || magnitude(x) >= magnitude(y));
    (choose_x ? step.reduce_x : step.reduce_y) = true;
    (choose_x ? x : y) = rules.reduced(choose_x ? x : y);
  }
  const Range difference = x - y + step.offset * kUnit;
  x = x + y;
  y = rules.product(difference) + (lift ? rules.lifted() : 0);
  return step;
}

// The schedule of log_radix stages, distances 1, 2, 4, ... registers, on registers of one common range.
template <int log_radix, class Rules>
constexpr InversePass<log_radix> plan_inverse(const Rules& rules, Range in) {
  InversePass<log_radix> pass{};
  pass.fits = true;
  for (Range& range : pass.out) range = in;
  for (int stage = 0; stage < log_radix; ++stage) {
    const int distance = 1 << stage;
    for (int k = 0; k < pass.kRadix / 2; ++k) {
      const int x = k / distance * 2 * distance + k % distance, y = x + distance;
      const bool lift = stage + 1 < log_radix && (y & (2 * distance)) == 0;
      pass.step[stage][k] = plan_butterfly(rules, pass.out[x], pass.out[y], lift);
      pass.fits = pass.fits && pass.step[stage][k].fits && rules.fits(pass.out[y]);
    }
  }
  return pass;
}

// The range of a stored value: one reduction brings those above the common bound back under it.
template <class Rules>
constexpr bool must_reduce(const Rules& rules, Range range) {
  return magnitude(range) > magnitude(rules.between_inverse_passes());
}

template <int log_radix, class Rules>
constexpr Range stored_range(const Rules& rules, const InversePass<log_radix>& pass) {
  Range all{0, 0};
  for (const Range& out : pass.out) {
    const Range stored = must_reduce(rules, out) ? rules.reduced(out) : out;
    if (stored.low < all.low) all.low = stored.low;
    if (stored.high > all.high) all.high = stored.high;
  }
  return all;
}

template <int log_radix, class Rules>
constexpr bool inverse_fits(const Rules& rules, Range in) {
  const InversePass<log_radix> pass = plan_inverse<log_radix>(rules, in);
  for (const Range& out : pass.out) {
    if (!rules.fits_factor(out)) return false;  // the last pass multiplies it by N^-1
  }
  return pass.fits && !must_reduce(rules, stored_range(rules, pass));
}

template <class Rules>
constexpr bool inverse_fits_all(const Rules& rules) {
  const Range in = rules.between_inverse_passes(), block = stored_range(rules, plan_inverse<3>(rules, kResidues));
  return inverse_fits<1>(rules, in) && inverse_fits<2>(rules, in) && inverse_fits<3>(rules, in) &&
         inverse_fits<3>(rules, block);
}

}  // namespace fhe

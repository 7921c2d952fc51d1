// The kernel table: what a target (an instruction set) must provide, one row of residues at a time.
//
// Kernels take pointers and lengths; they allocate, throw and print nothing. A row is n residues of one
// prime, 64-byte aligned, n a power of two >= 8. Every input and output is fully reduced, in [0, q), unless
// a comment says otherwise; lazy ranges live inside a kernel and never cross this table. Outputs may be the
// same row as an input, never a partial overlap.
#pragma once

#include <cstddef>

#include "../modulus.hpp"
#include "../word.hpp"

namespace fhe {

struct NttTables;  // ring/ntt_tables.hpp

// Rows (b_j, a_j) of one limb, packed: kKeyColumns columns at a time (or all of a shorter row), digit by digit, b
// before a, `width` bytes a residue, little end first, and `stride` bytes from block to block. 64 bytes beyond the last
// residue may be read.
constexpr std::size_t kKeyColumns = 16;
struct PackedRows {
  const unsigned char* bytes;
  std::size_t stride, width;
};

struct Kernels {
  const char* name;      // "scalar", "avx512ifma", ...
  bool (*supported)();   // does this CPU run it?
  int max_modulus_bits;  // primes of more bits fall to the next target
  u64 min_ring_degree;   // smaller rings fall to the next target
  // What this target's transforms keep of a twiddle w in [0, q): two words, of which the second gives the first.
  void (*twiddle)(u64* pair, u64 w, const Modulus& q);

  void (*add)(u64* out, const u64* x, const u64* y, std::size_t n, const Modulus& q);
  void (*sub)(u64* out, const u64* x, const u64* y, std::size_t n, const Modulus& q);
  void (*neg)(u64* out, const u64* x, std::size_t n, const Modulus& q);
  void (*mul)(u64* out, const u64* x, const u64* y, std::size_t n, const Modulus& q);
  // out = x * y + z
  void (*mul_add)(u64* out, const u64* x, const u64* y, const u64* z, std::size_t n, const Modulus& q);
  // out = x * w for a constant w in [0, q)
  void (*mul_scalar)(u64* out, const u64* x, u64 w, std::size_t n, const Modulus& q);
  void (*add_scalar)(u64* out, const u64* x, u64 c, std::size_t n, const Modulus& q);
  // out = x - shift mod q of signed words, |x - shift| < q
  void (*from_signed)(u64* out, const u64* x, u64 shift, std::size_t n, const Modulus& q);
  // out = (x - y) * w
  void (*sub_mul_scalar)(u64* out, const u64* x, const u64* y, u64 w, std::size_t n, const Modulus& q);

  // out = (x - y) * w + z * v
  void (*sub_mul_scalar_add)(u64* out, const u64* x, const u64* y, u64 w, const u64* z, u64 v, std::size_t n,
                             const Modulus& q);
  // out = (x0 y0, x0 y1 + x1 y0, x1 y1), as rows; no row of out is an input
  void (*tensor)(u64* const* out, const u64* const* x, const u64* const* y, std::size_t n, const Modulus& q);

  // out = sum_j xs[j] * ys[j], any number of terms >= 1
  void (*inner_product)(u64* out, const u64* const* xs, const u64* const* ys, std::size_t terms, std::size_t n,
                        const Modulus& q);
  // (b, a) = (sum_j xs[j] * b_j, sum_j xs[j] * a_j) for one limb of a switching key.
  void (*key_product)(u64* b, u64* a, const u64* const* xs, std::size_t terms, const PackedRows& key, std::size_t n,
                      const Modulus& q);
  // For each of `outputs` rows o: out[o] = sum_i rows[i] * weights[o * inputs + i] mod *q[o].
  // rows[i] are any values below 2^50 (residues of other primes); weights are in [0, q[o]). No output is an input.
  void (*weighted_sums)(u64* const* out, std::size_t outputs, const u64* const* rows, std::size_t inputs,
                        const u64* weights, std::size_t n, const Modulus* const* q);
  // v = floor(s + 0.5) with s = ((0.0 + rows[0] * r[0]) + rows[1] * r[1]) + ..., IEEE doubles, no contraction; and
  // rest = s - v, which may be null.
  void (*quotient)(u64* v, double* rest, const u64* const* rows, const double* reciprocals, std::size_t inputs,
                   std::size_t n);
  // out = sum_i (rows[i] - (q_i - 1)/2) q_0 ... q_(i-1), in pairs of doubles as mixed_radix.inl says, infinite beyond.
  void (*mixed_radix)(double* out, const u64* const* rows, const u64* moduli, std::size_t digits, std::size_t n);
  // out[k] = in[index[k]]; out and in are different rows
  void (*gather)(u64* out, const u64* in, const u32* index, std::size_t n);

  // Coefficients (natural order) to evaluations (order: ring/order.hpp) and back; N^-1 included in the inverse.
  void (*ntt)(u64* out, const u64* in, const NttTables& tables);
  void (*intt)(u64* out, const u64* in, const NttTables& tables);
};

}  // namespace fhe

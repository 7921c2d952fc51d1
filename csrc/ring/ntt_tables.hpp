// Powers of psi as the butterflies use them, for one prime, ring degree and target.
#pragma once

#include <memory>

#include "../kernels/kernels.hpp"
#include "../kernels/schedule.hpp"
#include "../modulus.hpp"

namespace fhe {

// The twiddles of one direction, in the order of use.
//
// A twiddle shared by a whole vector is a pair of words, as the target's `twiddle` makes it. Twiddles that differ from
// lane to lane keep the second word alone, which gives the first: half the bytes, one more multiply.
struct TwiddleTable {
  const u64* pass[kMaxOuterPasses];  // pass l, block b: radix - 1 pairs, those of its first stage first
  const u64* rows;                   // 64-block b: 7 pairs for the three stages between rows of 8
  const u64* lanes;                  // 64-block b: 7 vectors of 8 second words, for the three stages inside rows
};

struct NttTables {
  u64 ring_degree;
  int log_degree;
  Modulus q;
  u64 root;                // psi, a primitive 2N-th root of unity mod q
  const Kernels* kernels;  // the target bound to this prime, ring degree and CPU

  TwiddleTable forward;   // psi^e
  TwiddleTable inverse;   // psi^-e, those of the last stage times N^-1
  u64 degree_inverse[2];  // N^-1 mod q, as a pair

  std::unique_ptr<u64[]> words;  // what the tables point into
};

// Tables for Z_q[X]/(X^N + 1), N = ring_degree = 2 ... 2^17, on the target that `choose_kernels` gives.
// Throws std::invalid_argument unless N is such a power of two and root a primitive 2N-th root of unity mod q.
std::shared_ptr<const NttTables> make_ntt_tables(u64 ring_degree, const Modulus& q, u64 root, const char* target);

}  // namespace fhe

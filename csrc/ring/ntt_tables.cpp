#include "ntt_tables.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include "../targets/dispatch.hpp"

namespace fhe {
namespace {

// powers[reverse(e)] = base^e for e < N: the twiddle of block b in the stage of m blocks is powers[m + b].
std::vector<u64> bit_reversed_powers(u64 base, u64 ring_degree, int log_degree, const Modulus& q) {
  std::vector<u64> powers(ring_degree);
  u64 power = 1;
  for (u64 e = 0; e < ring_degree; ++e) {
    powers[reverse_bits(e, log_degree)] = power;
    power = q.mul(power, base);
  }
  return powers;
}

// Lays the twiddles of one direction out in the order of use.
class TableWriter {
 public:
  TableWriter(const NttTables& tables, u64* words)
      : q_(tables.q), log_degree_(tables.log_degree), twiddle_(tables.kernels->twiddle), next_(words) {}

  TwiddleTable write(const std::vector<u64>& powers) {
    TwiddleTable table{};
    u64 blocks = 1;
    const OuterPasses passes = outer_passes(log_degree_);
    for (int pass = 0; pass < passes.count; ++pass) {
      table.pass[pass] = align();
      shared(powers, blocks, passes.log_radix[pass]);
      blocks <<= passes.log_radix[pass];
    }
    if (log_degree_ >= kBlockLog) {
      table.rows = align();
      shared(powers, blocks, 3);
      table.lanes = align();
      lanes(powers, blocks);
    }
    align();
    return table;
  }

 private:
  // Twiddles of `stages` stages over `blocks` blocks, block by block, as pairs.
  void shared(const std::vector<u64>& powers, u64 blocks, int stages) {
    for (u64 block = 0; block < blocks; ++block) {
      for (int stage = 0; stage < stages; ++stage) {
        for (u64 j = 0; j < u64{1} << stage; ++j) {
          twiddle_(next_, powers[(blocks << stage) + (block << stage) + j], q_);
          next_ += 2;
        }
      }
    }
  }

  // The last three stages: lane a belongs to row a of a 64-block.
  void lanes(const std::vector<u64>& powers, u64 blocks) {
    for (u64 block = 0; block < blocks; ++block) {
      for (int stage = 0; stage < 3; ++stage) {
        for (u64 j = 0; j < u64{1} << stage; ++j) {
          for (u64 a = 0; a < 8; ++a) {
            u64 pair[2];
            twiddle_(pair, powers[(8 * blocks << stage) + ((8 * block + a) << stage) + j], q_);
            *next_++ = pair[1];
          }
        }
      }
    }
  }

  u64* align() {
    while (reinterpret_cast<std::uintptr_t>(next_) % 64 != 0) *next_++ = 0;
    return next_;
  }

  const Modulus& q_;
  const int log_degree_;
  void (*const twiddle_)(u64* pair, u64 w, const Modulus& q);
  u64* next_;
};

// Words of one direction: of its N twiddles N/8 are pairs and 7N/8 single, all are pairs below 64; and alignment.
std::size_t table_words(u64 ring_degree) {
  return (ring_degree < 64 ? 2 * ring_degree : ring_degree / 8 * 9) + 8 * (kMaxOuterPasses + 3);
}

void check_root(u64 ring_degree, const Modulus& q, u64 root) {
  if (ring_degree < 2 || ring_degree > u64{1} << kMaxLogDegree || (ring_degree & (ring_degree - 1)) != 0) {
    throw std::invalid_argument("ring degree " + std::to_string(ring_degree) + " must be a power of two in 2 ... 2^" +
                                std::to_string(kMaxLogDegree));
  }
  if (root >= q.value || q.pow(root, ring_degree) != q.value - 1) {
    throw std::invalid_argument(std::to_string(root) + " is not a primitive 2N-th root of unity modulo " +
                                std::to_string(q.value) + " for N = " + std::to_string(ring_degree));
  }
}

}  // namespace

std::shared_ptr<const NttTables> make_ntt_tables(u64 ring_degree, const Modulus& q, u64 root, const char* target) {
  check_root(ring_degree, q, root);
  const Kernels& kernels = choose_kernels(q.bits, ring_degree, target);
  const std::size_t words = table_words(ring_degree);
  auto tables = std::make_shared<NttTables>(NttTables{ring_degree,
                                                      bit_length(ring_degree) - 1,
                                                      q,
                                                      root,
                                                      &kernels,
                                                      {},
                                                      {},
                                                      {},
                                                      std::unique_ptr<u64[]>(new u64[2 * words])});
  TableWriter writer(*tables, tables->words.get());
  tables->forward = writer.write(bit_reversed_powers(root, ring_degree, tables->log_degree, q));

  std::vector<u64> powers = bit_reversed_powers(q.inverse(root), ring_degree, tables->log_degree, q);
  const u64 degree_inverse = q.inverse(ring_degree % q.value);
  powers[1] = q.mul(powers[1], degree_inverse);
  tables->inverse = writer.write(powers);
  kernels.twiddle(tables->degree_inverse, degree_inverse, q);
  return tables;
}

}  // namespace fhe

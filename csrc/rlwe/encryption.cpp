#include "encryption.hpp"

#include <stdexcept>

#include "../pool/parallel.hpp"
#include "../ring/division.hpp"

namespace fhe {
namespace {

// Rows that are wiped when they go.
class SecretRows {
 public:
  SecretRows(std::size_t count, std::size_t n) : rows_(count, n), bytes_(8 * count * n) {}
  ~SecretRows() { wipe(rows_.row(0), bytes_); }
  SecretRows(const SecretRows&) = delete;
  SecretRows& operator=(const SecretRows&) = delete;

  u64* row(std::size_t i) const { return rows_.row(i); }
  u64* const* rows() const { return rows_.rows(); }

 private:
  Scratch rows_;
  std::size_t bytes_;
};

void check(const Basis& basis, std::size_t special, const Buffer& b, const Buffer& a, const Buffer& m) {
  for (const Buffer* half : {&b, &a}) {
    basis.check_prefix(*half);
    if (half->polynomials() != 1) throw std::invalid_argument("a public key of " + to_string(half->leading()));
  }
  if (m.limbs() + special != basis.size() || m.ring_degree() != basis.ring_degree() || m.polynomials() != 1)
    throw std::invalid_argument("a message of (leading…, limbs, N) = " + to_string(m.leading()) +
                                to_string({m.limbs(), m.ring_degree()}) + " over a basis of " +
                                to_string({basis.size(), basis.ring_degree()}) + ", " + std::to_string(special) +
                                " limbs special");
}

// The errors join the remainder of the division before it is transformed, so that they cost no transforms of their own:
// with x = k u and r the remainder of x + e in coefficients, round((x + e) / P) + m = (x - NTT(r - e - P m)) / P.
class Mask {
 public:
  Mask(const Basis& basis, std::size_t special, const EncryptionStreams& words)
      : basis_(basis),
        special_(special),
        division_(special == 0 ? nullptr : &Division::of(basis, special, special, basis.size())),
        samples_(3, basis.ring_degree()) {
    const std::size_t N = basis.ring_degree();
    ternary(samples_.row(0), words[0], N);
    centred_binomial(samples_.row(1), words[1], N);
    centred_binomial(samples_.row(2), words[2], N);
  }

  const Division* division() const { return division_; }

  // Both halves of the key times u on one limb; `row` is scratch.
  void multiply(std::size_t limb, u64* const (&out)[2], const u64* const (&key)[2], u64* row) const {
    const Kernels& kernels = basis_.kernels(limb);
    residues(row, 0, limb);
    kernels.ntt(row, row, basis_.tables(limb));
    for (int half = 0; half < 2; ++half)
      kernels.mul(out[half], key[half], row, basis_.ring_degree(), basis_.modulus(limb));
  }

  // The terms of the remainder, from the products on the special limbs; `e` is scratch.
  void terms(std::size_t half, u64* const* rows, u64* e) const {
    const std::size_t N = basis_.ring_degree();
    for (std::size_t limb = 0; limb < special_; ++limb) {
      const Kernels& kernels = basis_.kernels(limb);
      kernels.intt(rows[limb], rows[limb], basis_.tables(limb));
      residues(e, 1 + half, limb);
      kernels.add(rows[limb], rows[limb], e, N, basis_.modulus(limb));
    }
    division_->terms(rows, rows, N);
  }

  // round((row + e) / P) + m on a limb that is kept; m may be null, e and r are scratch.
  void finish(std::size_t half, std::size_t limb, u64* row, const u64* const* terms, const u64* m, u64* e,
              u64* r) const {
    const std::size_t N = basis_.ring_degree(), j = limb - special_;
    const Kernels& kernels = basis_.kernels(limb);
    const Modulus& q = basis_.modulus(limb);
    residues(e, 1 + half, limb);
    if (division_ == nullptr) {
      if (m != nullptr) kernels.add(e, e, m, N, q);
      kernels.ntt(e, e, basis_.tables(limb));
      return kernels.add(row, row, e, N, q);
    }
    division_->remainder(&r, terms, j, 1, N);
    if (m == nullptr) kernels.sub(r, r, e, N, q);
    if (m != nullptr) kernels.sub_mul_scalar_add(r, r, e, 1, m, q.value - division_->divisor(j), N, q);
    division_->divide_evaluations(row, row, r, nullptr, j);
  }

 private:
  void residues(u64* row, std::size_t sample, std::size_t limb) const {
    basis_.kernels(limb).from_signed(row, samples_.row(sample), 0, basis_.ring_degree(), basis_.modulus(limb));
  }

  const Basis& basis_;
  std::size_t special_;
  const Division* division_;
  SecretRows samples_;  // u, e_0, e_1, signed
};

}  // namespace

std::pair<Buffer, Buffer> encrypt(const Basis& basis, std::size_t special, const Buffer& b, const Buffer& a,
                                  const EncryptionStreams& words, const Buffer& m) {
  check(basis, special, b, a, m);
  const std::size_t N = basis.ring_degree(), kept = basis.size() - special;
  const Mask mask(basis, special, words);
  const std::size_t count = special == 0 ? 1 : mask.division()->terms_count();
  const SecretRows terms[2] = {{count, N}, {count, N}};
  Buffer c0({}, kept, N), c1({}, kept, N);
  {
    const SecretRows scratch(1, N);
    for (std::size_t limb = 0; limb < special; ++limb)
      mask.multiply(limb, {terms[0].row(limb), terms[1].row(limb)}, {b.row(0, limb), a.row(0, limb)}, scratch.row(0));
    for (std::size_t half = 0; half < 2 && special != 0; ++half) mask.terms(half, terms[half].rows(), scratch.row(0));
  }
  for_each_group(kept, kept, 3 * kTransform * N, [&](std::size_t first, std::size_t size) {
    const SecretRows scratch(2, N);
    u64 *const e = scratch.row(0), *const r = scratch.row(1);
    for (std::size_t j = first; j < first + size; ++j) {
      const std::size_t limb = special + j;
      mask.multiply(limb, {c0.row(0, j), c1.row(0, j)}, {b.row(0, limb), a.row(0, limb)}, e);
      mask.finish(0, limb, c0.row(0, j), terms[0].rows(), m.row(0, j), e, r);
      mask.finish(1, limb, c1.row(0, j), terms[1].rows(), nullptr, e, r);
    }
  });
  return {std::move(c0), std::move(c1)};
}

}  // namespace fhe

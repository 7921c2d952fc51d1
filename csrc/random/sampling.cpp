#include "sampling.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "../pool/parallel.hpp"

namespace fhe {
namespace {

constexpr std::size_t kBlock = 256;

u64 word_at(const Stream& stream, std::size_t i) {
  u64 word;
  std::memcpy(&word, stream.data + 8 * i, 8);
  return word;
}

void check_words(const Stream& stream, std::size_t words) {
  if (stream.bytes < 8 * words)
    throw std::invalid_argument("a keystream of " + std::to_string(stream.bytes) + " bytes where " +
                                std::to_string(8 * words) + " are needed");
}

// The first n of the words first … first + share - 1 that are below floor(2^64/q) * q, modulo q.
void uniform_row(u64* out, const Stream& stream, std::size_t first, std::size_t share, std::size_t n,
                 const Modulus& q) {
  const u64 limit = q.one_shoup * q.value;  // floor(2^64 / q) * q
  std::size_t accepted = 0;
  for (std::size_t i = first; i < first + share && accepted < n; ++i) {
    const u64 word = word_at(stream, i);
    out[accepted] = q.reduce(word);
    accepted += word < limit ? 1 : 0;
  }
  if (accepted < n)
    throw std::invalid_argument("only " + std::to_string(accepted) + " of " + std::to_string(share) +
                                " words are below the rejection limit of a " + std::to_string(q.bits) + "-bit prime, " +
                                std::to_string(n) +
                                " are needed: take primes below 2^50 and words from a random stream");
}

// sample(word) for each of n words: a small signed integer.
template <class Sample>
void samples(u64* __restrict out, Stream stream, std::size_t offset, std::size_t n, const Sample& sample) {
  for (std::size_t k = 0; k < n; ++k) out[k] = sample(word_at(stream, offset + k));
}

// The same as residues of every limb.
template <class Sample>
Buffer small(const Basis& basis, const Stream& stream, const Sample& sample) {
  check_words(stream, basis.ring_degree());
  Buffer out({}, basis.size(), basis.ring_degree());
  for_each_block(basis.ring_degree(), kBlock, 2 * basis.size(), [&](std::size_t offset, std::size_t size) {
    alignas(64) std::array<u64, kBlock> signed_integers;
    samples(signed_integers.data(), stream, offset, size, sample);
    for (std::size_t limb = 0; limb < basis.size(); ++limb)
      basis.kernels(limb).from_signed(out.row(0, limb) + offset, signed_integers.data(), 0, size, basis.modulus(limb));
    wipe(signed_integers.data(), sizeof signed_integers);
  });
  return out;
}

// The number of ones among 21 bits. No population count of the compiler's, which may look bytes up in a table.
u64 ones(u64 bits) {
  bits = (bits & 0x155555) + (bits >> 1 & 0x155555);
  bits = (bits & 0x333333) + (bits >> 2 & 0x333333);
  bits = (bits & 0x0f0f0f) + (bits >> 4 & 0x0f0f0f);
  return (bits + (bits >> 8) + (bits >> 16)) & 0xff;
}

// Which third of all words one is in: -1, 0 or 1.
constexpr auto third = [](u64 word) { return mul_hi(3, word) - 1; };

constexpr auto difference_of_ones = [](u64 word) {
  constexpr u64 kMask = (u64{1} << 21) - 1;
  return ones(word & kMask) - ones(word >> 21 & kMask);
};

}  // namespace

Buffer uniform(const Basis& basis, const Stream& words) {
  const std::size_t N = basis.ring_degree(), share = uniform_words(N);
  check_words(words, basis.size() * share);
  Buffer out({}, basis.size(), N);
  for_each_limb(basis.size(), 4 * N, [&](std::size_t limb) {
    uniform_row(out.row(0, limb), words, limb * share, share, N, basis.modulus(limb));
  });
  return out;
}

Buffer ternary(const Basis& basis, const Stream& words) { return small(basis, words, third); }

Buffer centred_binomial(const Basis& basis, const Stream& words) { return small(basis, words, difference_of_ones); }

void ternary(u64* out, const Stream& words, std::size_t n) {
  check_words(words, n);
  samples(out, words, 0, n, third);
}

void centred_binomial(u64* out, const Stream& words, std::size_t n) {
  check_words(words, n);
  samples(out, words, 0, n, difference_of_ones);
}

}  // namespace fhe

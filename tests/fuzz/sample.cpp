// Keystream that a received seed expands to: uniform residues word for word as defined, or too few words.
#include "entry.hpp"
#include "random/sampling.hpp"

using namespace fhe;

namespace {

// The accepted words of one row modulo q; empty where there are too few.
std::vector<u64> row(const unsigned char* words, std::size_t share, std::size_t n, u64 q) {
  std::vector<u64> found;
  const u64 limit = (~u64{0} / q) * q;
  for (std::size_t i = 0; i < share && found.size() < n; ++i) {
    u64 word = 0;
    for (std::size_t k = 0; k < 8; ++k) word |= u64{words[8 * i + k]} << 8 * k;
    if (word < limit) found.push_back(word % q);
  }
  return found.size() < n ? std::vector<u64>{} : found;
}

void compare(const Basis& basis, const std::vector<unsigned char>& words) {
  const std::size_t n = basis.ring_degree(), share = uniform_words(n);
  bool enough = words.size() >= 8 * share * basis.size();
  std::vector<std::vector<u64>> rows;
  for (std::size_t limb = 0; enough && limb < basis.size(); ++limb) {
    rows.push_back(row(words.data() + 8 * share * limb, share, n, basis.modulus(limb).value));
    enough = !rows.back().empty();
  }
  const bool refused = fuzz::refused([&] {
    const Buffer x = uniform(basis, {words.data(), words.size()});
    for (std::size_t limb = 0; limb < rows.size(); ++limb)
      fuzz::require(std::equal(rows[limb].begin(), rows[limb].end(), x.row(0, limb)), "uniform as defined");
  });
  fuzz::require(refused != enough, "keystream is refused when it is too short");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Source source(data, size);
  const Basis& basis = fuzz::small_basis(source);
  const bool whole = source.below(8) != 0;
  std::vector<unsigned char> words(source.data(), source.data() + source.size());
  const std::size_t given = words.size();
  if (whole) words.resize(8 * uniform_words(basis.ring_degree()) * basis.size());
  for (std::size_t i = given; i < words.size(); ++i)
    words[i] = given == 0 ? 0xff : static_cast<unsigned char>(words[i % given] * 167 + i / given);
  const fuzz::Account account(words.size(), 16384);
  compare(basis, words);
  return 0;
}

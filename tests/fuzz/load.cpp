// Residues from elsewhere, word by word: refused exactly when one is not below its prime, copied else.
#include <algorithm>

#include "entry.hpp"
#include "ring/pack.hpp"

using namespace fhe;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Source source(data, size);
  const Basis& basis = fuzz::small_basis(source);
  const std::size_t polynomials = source.below(3);
  std::vector<u64> words(polynomials * basis.size() * basis.ring_degree());
  const bool spread = source.below(2) != 0;
  bool below = true;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const u64 q = basis.modulus(i / basis.ring_degree() % basis.size()).value;
    words[i] = spread ? q - 1 + source.word(1) - 255 : source.word();
    below = below && words[i] < q;
  }
  const fuzz::Account account(8 * words.size(), 4096);
  const bool refused = fuzz::refused([&] {
    const Buffer x = load(basis, {polynomials}, words.data());
    fuzz::require(std::equal(words.begin(), words.end(), x.data()), "what is loaded is what came");
  });
  fuzz::require(refused != below, "words are refused when one is not below its prime");
  return 0;
}

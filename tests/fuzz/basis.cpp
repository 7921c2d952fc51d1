// Parameters from elsewhere, believed by nobody: a ring degree, primes and roots make a basis or are refused.
#include "entry.hpp"
#include "ring/arithmetic.hpp"

using namespace fhe;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Source source(data, size);
  const std::size_t shape = source.word(1), N = shape < 8 ? std::size_t{8} << shape % 5 : source.word(3);
  std::vector<u64> moduli, roots;
  const std::size_t count = source.below(4), others = source.below(16) == 0 ? source.below(4) : count;
  for (std::size_t i = 0; i < count; ++i) moduli.push_back(source.below(2) == 0 ? 257 : source.word(7));
  for (std::size_t i = 0; i < others; ++i) roots.push_back(source.word(7));
  // Tables of the ring degree that is claimed, if it is one, for each prime.
  const fuzz::Account account(size, 16384 + count * 48 * std::min(N, std::size_t{1} << 17));
  fuzz::refused([&] {
    const Basis basis(N, moduli, roots, source.below(2) == 0 ? "scalar" : "");
    fuzz::require(basis.size() == count && count == others && basis.ring_degree() == N,
                  "a basis is what was asked for");
    const Buffer x = fuzz::polynomial(basis, source);
    fuzz::require(fuzz::reduced(basis, ntt(basis, x)), "transforms are reduced");
  });
  return 0;
}

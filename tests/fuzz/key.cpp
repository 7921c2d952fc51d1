// A switching key made of received rows, and its use: rows that do not fit are refused, others come back as they were,
// and what is switched with them is reduced.
#include <cstring>

#include "entry.hpp"
#include "rlwe/keyswitch.hpp"

using namespace fhe;

namespace {

bool same(const Buffer& x, const Buffer& y) {
  return x.limbs() == y.limbs() && x.words() == y.words() && std::memcmp(x.data(), y.data(), 8 * x.words()) == 0;
}

void keep_rows(const PackedKey& key, const std::vector<Buffer>& b, const std::vector<Buffer>& a) {
  const auto [again_b, again_a] = key.rows();
  fuzz::require(again_b.size() == b.size() && again_a.size() == a.size(), "as many rows as there were");
  for (std::size_t j = 0; j < b.size(); ++j)
    fuzz::require(same(again_b[j], b[j]) && same(again_a[j], a[j]), "rows come back as they were");
}

void use(const PackedKey& key, const Basis& basis, fuzz::Source& source) {
  const std::size_t special = source.below(4), digit = source.below(4), stop = source.below(8);
  const Buffer x = fuzz::polynomial(basis, source);
  fuzz::refused([&] {
    const Buffer q = x.slice(std::min(special, basis.size() - 1), basis.size());
    const auto [first, second] = key_switch(basis, {special, digit, source.below(2) ? &q : nullptr, q}, key);
    fuzz::require(fuzz::reduced(basis, first) && fuzz::reduced(basis, second), "switched residues are reduced");
    const auto [low, high] = switch_down(basis, {special, digit, nullptr, q}, key, stop, {q, q});
    fuzz::require(low.limbs() + special == stop && high.limbs() == low.limbs(), "what is left has the limbs asked for");
  });
  fuzz::refused([&] {
    const auto [first, second] = key_product(basis, std::vector<Buffer>(source.below(4), x), key);
    fuzz::require(fuzz::reduced(basis, first) && fuzz::reduced(basis, second), "products are reduced");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Source source(data, size);
  const Basis& basis = fuzz::small_basis(source);
  const Basis& another = source.below(4) == 0 ? fuzz::small_basis(source) : basis;
  // Rows do not know their primes: of other primes in the same shape the layers above know.
  const bool alike = another.size() == basis.size() && another.ring_degree() == basis.ring_degree();
  const Basis& other = alike ? basis : another;
  const std::size_t digits = source.below(4), more = source.below(8) == 0 ? 1 : 0;
  std::vector<Buffer> b, a;
  for (std::size_t j = 0; j < digits; ++j) {
    b.push_back(fuzz::polynomial(basis, source, source.below(16) == 0 ? Axes{2} : Axes{}));
    a.push_back(fuzz::polynomial(other, source));
  }
  if (more != 0) a.push_back(fuzz::polynomial(basis, source));
  fuzz::refused([&] {
    const PackedKey key(basis, b, a);
    fuzz::require(more == 0 && digits != 0, "halves of different length are refused");
    keep_rows(key, b, a);
    use(key, source.below(4) == 0 ? fuzz::small_basis(source) : basis, source);
  });
  return 0;
}

// Packed residues from elsewhere: refused, or each below its prime, and packed again they are the same bytes.
#include "entry.hpp"
#include "ring/pack.hpp"

using namespace fhe;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Source source(data, size);
  const Basis& basis = fuzz::small_basis(source);
  const std::size_t polynomials = source.below(4);
  const Axes leading = polynomials == 3 ? Axes{} : Axes{polynomials};
  // Half of the inputs are filled up to the size that is expected.
  std::vector<unsigned char> bytes(source.data(), source.data() + source.size());
  if (size % 2 == 0) bytes.resize(packed_bytes(basis, leading), 0x5a);
  const fuzz::Account account(bytes.size(), 4096);
  fuzz::refused([&] {
    const Buffer x = unpack(basis, leading, bytes.data(), bytes.size());
    fuzz::require(fuzz::reduced(basis, x), "unpacked residues are reduced");
    std::vector<unsigned char> again(bytes.size());
    pack(basis, x, again.data());
    fuzz::require(again == bytes, "packing gives the bytes back");
  });
  return 0;
}

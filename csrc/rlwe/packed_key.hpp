// A switching key as inner products stream it: from memory, once, in the order of use.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "../ring/basis.hpp"

namespace fhe {

// Rows (b_j, a_j) over a basis, one for each digit. Limb by limb, in blocks of some columns, digit by digit, b before
// a, each residue in as few whole bytes as its prime needs: one stream, and a quarter or more of the bytes saved. A
// lower level takes the first limbs and the first digits. Copies share the memory, which never changes.
class PackedKey {
 public:
  // Throws std::invalid_argument unless there are as many b as a, at least one, each a polynomial over the basis.
  PackedKey(const Basis& basis, const std::vector<Buffer>& b, const std::vector<Buffer>& a);

  std::size_t digits() const { return digits_; }
  std::size_t bytes() const { return limbs_.back().start + row_bytes(limbs_.back().width); }

  // One limb, as kernels take it.
  PackedRows rows_of(std::size_t limb) const {
    const auto [q, start, width] = limbs_[limb];
    return {bytes_() + start, 2 * digits_ * columns() * width, width};
  }

  // The rows b_j, then the rows a_j.
  std::pair<std::vector<Buffer>, std::vector<Buffer>> rows() const;

  // Throws std::invalid_argument unless a basis begins the key's and so many digits are there.
  void check(const Basis& basis, std::size_t digits) const;

 private:
  struct Limb {
    u64 q;
    std::size_t start, width;
  };

  std::size_t columns() const { return std::min(ring_degree_, kKeyColumns); }
  const unsigned char* bytes_() const { return reinterpret_cast<const unsigned char*>(words_.get()); }
  std::size_t row_bytes(std::size_t width) const { return 2 * digits_ * ring_degree_ * width; }

  std::size_t ring_degree_, digits_;
  std::vector<Limb> limbs_;
  std::shared_ptr<u64[]> words_;
};

}  // namespace fhe

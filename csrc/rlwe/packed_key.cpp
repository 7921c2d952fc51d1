#include "packed_key.hpp"

#include <cstring>
#include <stdexcept>
#include <type_traits>

#include "../pool/parallel.hpp"

namespace fhe {
namespace {

constexpr std::size_t kPadding = 64;  // what a vector load at the last residue may read beyond it

// body(residue, its place among the bytes) in the order of the bytes.
template <std::size_t width, class Rows, class Body>
void each_residue(unsigned char* bytes, std::size_t n, const Rows& b, const Rows& a, const Body& body) {
  const std::size_t columns = std::min(n, kKeyColumns);
  for (std::size_t start = 0; start < n; start += columns)
    for (std::size_t j = 0; j < b.size(); ++j)
      for (auto* row : {b[j], a[j]})
        for (std::size_t k = start; k < start + columns; ++k, bytes += width) body(row[k], bytes);
}

// body(width as a constant): copies of a known size are single moves, where others are calls.
template <std::size_t width = 1, class Body>
void with_width(std::size_t wanted, const Body& body) {
  if (wanted == width) return body(std::integral_constant<std::size_t, width>());
  if constexpr (width < sizeof(u64)) with_width<width + 1>(wanted, body);
}

template <class Buffers>
auto rows_of_limb(Buffers& buffers, std::size_t limb) {
  std::vector<decltype(buffers[0].row(0, limb))> rows;
  for (auto& buffer : buffers) rows.push_back(buffer.row(0, limb));
  return rows;
}

}  // namespace

PackedKey::PackedKey(const Basis& basis, const std::vector<Buffer>& b, const std::vector<Buffer>& a)
    : ring_degree_(basis.ring_degree()), digits_(b.size()) {
  if (b.empty() || a.size() != b.size())
    throw std::invalid_argument("a switching key of " + std::to_string(b.size()) + " and " + std::to_string(a.size()) +
                                " rows");
  for (const auto* half : {&b, &a})
    for (const Buffer& row : *half) {
      basis.check(row);
      if (row.polynomials() != 1)
        throw std::invalid_argument("a switching key with leading axes " + to_string(row.leading()));
    }
  std::size_t start = 0;
  for (std::size_t i = 0; i < basis.size(); ++i) {
    const std::size_t width = static_cast<std::size_t>(basis.modulus(i).bits + 7) / 8;
    limbs_.push_back({basis.modulus(i).value, start, width});
    start += row_bytes(width);
  }
  words_ = take((start + kPadding) / 8 + 1);
  auto* const bytes = reinterpret_cast<unsigned char*>(words_.get());
  std::memset(bytes + start, 0, kPadding);
  for_each_limb(basis.size(), 4 * digits_ * ring_degree_, [&](std::size_t i) {
    with_width(limbs_[i].width, [&](auto width) {
      each_residue<decltype(width)::value>(
          bytes + limbs_[i].start, ring_degree_, rows_of_limb(b, i), rows_of_limb(a, i),
          [](const u64& residue, unsigned char* to) { std::memcpy(to, &residue, decltype(width)::value); });
    });
  });
}

std::pair<std::vector<Buffer>, std::vector<Buffer>> PackedKey::rows() const {
  std::vector<Buffer> b, a;
  for (std::size_t j = 0; j < digits_; ++j) {
    b.emplace_back(Axes{}, limbs_.size(), ring_degree_);
    a.emplace_back(Axes{}, limbs_.size(), ring_degree_);
  }
  auto* const bytes = reinterpret_cast<unsigned char*>(words_.get());
  for_each_limb(limbs_.size(), 4 * digits_ * ring_degree_, [&](std::size_t i) {
    with_width(limbs_[i].width, [&](auto width) {
      each_residue<decltype(width)::value>(bytes + limbs_[i].start, ring_degree_, rows_of_limb(b, i),
                                           rows_of_limb(a, i), [](u64& residue, const unsigned char* from) {
                                             residue = 0;
                                             std::memcpy(&residue, from, decltype(width)::value);
                                           });
    });
  });
  return {std::move(b), std::move(a)};
}

void PackedKey::check(const Basis& basis, std::size_t digits) const {
  if (digits > digits_)
    throw std::invalid_argument("a switching key of " + std::to_string(digits_) + " digits for a polynomial of " +
                                std::to_string(digits));
  if (basis.size() > limbs_.size() || basis.ring_degree() != ring_degree_)
    throw std::invalid_argument("a switching key of (limbs, N) = " + to_string({limbs_.size(), ring_degree_}) +
                                " for a basis of " + to_string({basis.size(), basis.ring_degree()}));
  for (std::size_t i = 0; i < basis.size(); ++i)
    if (basis.modulus(i).value != limbs_[i].q)
      throw std::invalid_argument("a switching key of prime " + std::to_string(limbs_[i].q) + " at limb " +
                                  std::to_string(i) + " for one of " + std::to_string(basis.modulus(i).value));
}

}  // namespace fhe

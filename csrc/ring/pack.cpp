#include "pack.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "../pool/parallel.hpp"

namespace fhe {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are copied to and from the wire as they are");

// N >= 8 makes every row a whole number of bytes.
std::size_t row_bytes(const Basis& basis, std::size_t limb) {
  return basis.ring_degree() * static_cast<std::size_t>(basis.modulus(limb).bits) / 8;
}

void pack_row(unsigned char* out, const u64* x, std::size_t n, int bits) {
  u64 word = 0;
  int filled = 0;
  for (std::size_t k = 0; k < n; ++k) {
    word |= x[k] << filled;
    filled += bits;
    if (filled < 64) continue;
    std::memcpy(out, &word, 8);
    out += 8;
    filled -= 64;
    word = x[k] >> (bits - filled);
  }
  std::memcpy(out, &word, static_cast<std::size_t>(filled) / 8);
}

// A residue begins up to 7 bits into a byte and has at most 50: the eight bytes from there hold it.
u64 residue_at(const unsigned char* data, std::size_t position, u64 mask) {
  u64 window;
  std::memcpy(&window, data + position / 8, 8);
  return window >> position % 8 & mask;
}

// Windows that would pass the end of the row are read from a copy of its last bytes, followed by zeros.
void unpack_row(u64* out, const unsigned char* data, std::size_t bytes, std::size_t n, std::size_t bits) {
  const u64 mask = (u64{1} << bits) - 1;
  const std::size_t last = bytes < 8 ? 0 : bytes - 8;
  unsigned char tail[16] = {};
  std::memcpy(tail, data + last, bytes - last);
  std::size_t k = 0;
  for (; k < n && k * bits / 8 < last; ++k) out[k] = residue_at(data, k * bits, mask);
  for (; k < n; ++k) out[k] = residue_at(tail, k * bits - 8 * last, mask);
}

void check_residues(const u64* x, std::size_t n, std::size_t row, u64 q) {
  u64 excess = 0;  // x - q wraps, and shows in the top bit, exactly when x < q
  for (std::size_t k = 0; k < n; ++k) excess |= ~(x[k] - q) | x[k];
  if (excess >> 63 == 0) return;
  const u64* const found = std::find_if(x, x + n, [q](u64 residue) { return residue >= q; });
  throw std::invalid_argument("the residue at (row, column) = (" + std::to_string(row) + ", " +
                              std::to_string(found - x) + ") is not below its prime " + std::to_string(q));
}

}  // namespace

Buffer load(const Basis& basis, const Axes& leading, const u64* residues) {
  Buffer out(leading, basis.size(), basis.ring_degree());
  for (std::size_t row = 0; row < out.rows(); ++row) {
    u64* const x = out.data() + row * out.ring_degree();
    std::copy_n(residues + row * out.ring_degree(), out.ring_degree(), x);
    check_residues(x, out.ring_degree(), row, basis.modulus(row % basis.size()).value);
  }
  return out;
}

std::size_t packed_bytes(const Basis& basis, const Axes& leading) {
  std::size_t bytes = 0;
  for (std::size_t limb = 0; limb < basis.size(); ++limb) bytes += row_bytes(basis, limb);
  return product(leading) * bytes;
}

void pack(const Basis& basis, const Buffer& x, unsigned char* out) {
  basis.check(x);
  for (std::size_t row = 0; row < x.rows(); ++row) {
    const std::size_t limb = row % basis.size();
    pack_row(out, x.data() + row * x.ring_degree(), x.ring_degree(), basis.modulus(limb).bits);
    out += row_bytes(basis, limb);
  }
}

Buffer unpack(const Basis& basis, const Axes& leading, const unsigned char* data, std::size_t bytes) {
  const std::size_t expected = packed_bytes(basis, leading);
  if (bytes != expected)
    throw std::invalid_argument("residues of leading axes " + to_string(leading) + " are packed in " +
                                std::to_string(expected) + " bytes, not " + std::to_string(bytes));
  Buffer out(leading, basis.size(), basis.ring_degree());
  for (std::size_t row = 0; row < out.rows(); ++row) {
    const std::size_t limb = row % basis.size(), size = row_bytes(basis, limb);
    u64* const x = out.data() + row * out.ring_degree();
    unpack_row(x, data, size, out.ring_degree(), static_cast<std::size_t>(basis.modulus(limb).bits));
    check_residues(x, out.ring_degree(), row, basis.modulus(limb).value);
    data += size;
  }
  return out;
}

}  // namespace fhe

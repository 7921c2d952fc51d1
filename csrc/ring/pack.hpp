// Residues in and out: as words, and on the wire each row as a little-endian stream of bit_length(q_i) bits a residue.
//
// What comes in is checked: std::invalid_argument with the (row, column) of a residue >= q_i.
#pragma once

#include "basis.hpp"

namespace fhe {

// A copy of (leading…, L, N) words.
Buffer load(const Basis& basis, const Axes& leading, const u64* residues);

std::size_t packed_bytes(const Basis& basis, const Axes& leading);

// out holds packed_bytes.
void pack(const Basis& basis, const Buffer& x, unsigned char* out);

// Throws std::invalid_argument unless bytes = packed_bytes.
Buffer unpack(const Basis& basis, const Axes& leading, const unsigned char* data, std::size_t bytes);

}  // namespace fhe

// Encryption under a public key.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "../random/sampling.hpp"
#include "../ring/basis.hpp"

namespace fhe {

// Keystream of u (ternary), e_0 and e_1 (centred binomial).
using EncryptionStreams = std::array<Stream, 3>;

// round((b u + e_0) / P) + m and round((a u + e_1) / P) on evaluations, P the product of the first `special` primes. m
// comes in coefficients, over the other limbs; b and a may have more limbs than the basis. Constant time in the words
// and m. Throws std::invalid_argument when something does not fit.
std::pair<Buffer, Buffer> encrypt(const Basis& basis, std::size_t special, const Buffer& b, const Buffer& a,
                                  const EncryptionStreams& words, const Buffer& m);

}  // namespace fhe

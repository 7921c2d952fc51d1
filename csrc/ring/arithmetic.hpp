// Row by row: arithmetic and transforms of residue polynomials. Formulas and domains: fhe/backend/protocol.py.
//
// Every function throws std::invalid_argument when buffers do not fit the basis or one another.
#pragma once

#include <vector>

#include "basis.hpp"

namespace fhe {

Buffer zeros(const Basis& basis, const Axes& leading);
Buffer join(const Buffer& first, const Buffer& second);

Buffer add(const Basis& basis, const Buffer& x, const Buffer& y);
Buffer sub(const Basis& basis, const Buffer& x, const Buffer& y);
Buffer neg(const Basis& basis, const Buffer& x);
Buffer mul(const Basis& basis, const Buffer& x, const Buffer& y);
Buffer mul_add(const Basis& basis, const Buffer& x, const Buffer& y, const Buffer& z);
Buffer mul_scalar(const Basis& basis, const Buffer& x, const std::vector<u64>& scalars);
Buffer add_scalar(const Basis& basis, const Buffer& x, const std::vector<u64>& scalars);
Buffer inner_product(const Basis& basis, const std::vector<Buffer>& xs, const std::vector<Buffer>& ys);

Buffer ntt(const Basis& basis, const Buffer& x);
Buffer intt(const Basis& basis, const Buffer& x);

}  // namespace fhe

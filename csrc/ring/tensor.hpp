// The product of two pairs of polynomials. Formula: fhe/backend/protocol.py.
#pragma once

#include <cstddef>
#include <vector>

#include "basis.hpp"

namespace fhe {

// A polynomial in parts: their limbs, one after the other, are those of the basis.
using Parts = std::vector<Buffer>;

// (x_0 y_0, x_0 y_1 + x_1 y_0, x_1 y_1). The first limbs, x_coeffs of the xs and y_coeffs of the ys, come by
// coefficients. Throws std::invalid_argument when parts do not fit the basis or one another.
std::vector<Buffer> tensor(const Basis& basis, const std::vector<Parts>& xs, const std::vector<Parts>& ys,
                           std::size_t x_coeffs = 0, std::size_t y_coeffs = 0);

}  // namespace fhe

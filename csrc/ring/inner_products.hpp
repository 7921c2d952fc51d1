// Many inner products of the same terms: a matrix times a vector of polynomials, read once.
#pragma once

#include <cstddef>
#include <vector>

#include "basis.hpp"

namespace fhe {

// Terms of several components, x[c][k], and sums of some of them: the j-th term of a sum is number terms[j], times
// y[j].
using Components = std::vector<std::vector<Buffer>>;
struct WeightedTerms {
  std::vector<std::size_t> terms;
  std::vector<Buffer> y;
};

// out[g][c] = sum_j x[c][sums[g].terms[j]] * sums[g].y[j]. No leading axes; a y may have more limbs than the basis.
// Throws std::invalid_argument when something does not fit.
std::vector<std::vector<Buffer>> inner_products(const Basis& basis, const Components& x,
                                                const std::vector<WeightedTerms>& sums);

}  // namespace fhe

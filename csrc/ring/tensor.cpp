#include "tensor.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "../pool/parallel.hpp"
#include "rows.hpp"

namespace fhe {
namespace {

// The rows of a polynomial that comes in parts.
class PartedRows {
 public:
  // Throws std::invalid_argument unless the limbs of the parts are as many as those of the basis, of one shape.
  PartedRows(const Basis& basis, const std::vector<Buffer>& parts) {
    for (const Buffer& part : parts) {
      if (part.ring_degree() != basis.ring_degree() || part.leading() != parts[0].leading())
        throw std::invalid_argument("parts of leading axes " + to_string(parts[0].leading()) + " and " +
                                    to_string(part.leading()) + ", one of N = " + std::to_string(part.ring_degree()) +
                                    ", over a ring of degree " + std::to_string(basis.ring_degree()));
      for (std::size_t limb = 0; limb < part.limbs(); ++limb) limbs_.push_back({&part, limb});
    }
    if (limbs_.size() != basis.size())
      throw std::invalid_argument("parts of " + std::to_string(limbs_.size()) + " limbs over a basis of " +
                                  std::to_string(basis.size()));
  }

  const Buffer& first() const { return *limbs_[0].first; }
  const u64* row(std::size_t polynomial, std::size_t limb) const {
    return limbs_[limb].first->row(polynomial, limbs_[limb].second);
  }

 private:
  std::vector<std::pair<const Buffer*, std::size_t>> limbs_;
};

}  // namespace

// Row by row, so that what is transformed is multiplied before it leaves the cache.
std::vector<Buffer> tensor(const Basis& basis, const std::vector<Parts>& xs, const std::vector<Parts>& ys,
                           std::size_t x_coeffs, std::size_t y_coeffs) {
  if (xs.size() != 2 || ys.size() != 2)
    throw std::invalid_argument("a tensor product of " + std::to_string(xs.size()) + " and " +
                                std::to_string(ys.size()) + " polynomials, not of two and two");
  const PartedRows x0(basis, xs[0]), x1(basis, xs[1]), y0(basis, ys[0]), y1(basis, ys[1]);
  const Axes& leading = x0.first().leading();
  for (const PartedRows* other : {&x1, &y0, &y1})
    if (other->first().leading() != leading)
      throw std::invalid_argument("a tensor product of leading axes " + to_string(leading) + " and " +
                                  to_string(other->first().leading()));
  if (std::max(x_coeffs, y_coeffs) > basis.size())
    throw std::invalid_argument(std::to_string(std::max(x_coeffs, y_coeffs)) + " limbs by coefficients of " +
                                std::to_string(basis.size()));
  const std::size_t N = basis.ring_degree(), polynomials = x0.first().polynomials();
  const std::size_t transforms = 2 * (x_coeffs + y_coeffs) / basis.size();
  std::vector<Buffer> out(3, Buffer({}, 0, N));
  for (Buffer& part : out) part = Buffer(leading, basis.size(), N);
  for_each_limb(basis.size(), (6 + kTransform * transforms) * polynomials * N, [&](std::size_t limb) {
    const bool x_coeff = limb < x_coeffs, y_coeff = limb < y_coeffs;
    const Scratch evaluated(2 * (std::size_t{x_coeff} + std::size_t{y_coeff}), N);
    for (std::size_t i = 0; i < polynomials; ++i) {
      std::size_t used = 0;
      const auto row = [&](const PartedRows& x, bool coefficients) {
        const u64* const from = x.row(i, limb);
        if (!coefficients) return from;
        u64* const to = evaluated.row(used++);
        basis.kernels(limb).ntt(to, from, basis.tables(limb));
        return static_cast<const u64*>(to);
      };
      u64* const rows[] = {out[0].row(i, limb), out[1].row(i, limb), out[2].row(i, limb)};
      const u64* const x[] = {row(x0, x_coeff), row(x1, x_coeff)};
      const u64* const y[] = {row(y0, y_coeff), row(y1, y_coeff)};
      basis.kernels(limb).tensor(rows, x, y, N, basis.modulus(limb));
    }
  });
  return out;
}

}  // namespace fhe

#include "arithmetic.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "../pool/parallel.hpp"
#include "rows.hpp"

namespace fhe {
namespace {

// The row of x that meets row (polynomial, limb) of a result with at least its leading axes.
const u64* repeated(const Buffer& x, std::size_t polynomial, std::size_t limb) {
  return x.row(polynomial % x.polynomials(), limb);
}

// The buffer whose row (polynomial, limb) is written by body(out, polynomial, limb), in some passes over it.
template <class Body>
Buffer each_row(const Basis& basis, const Axes& leading, std::size_t passes, const Body& body) {
  Buffer out(leading, basis.size(), basis.ring_degree());
  for_each_limb(basis.size(), passes * out.polynomials() * basis.ring_degree(), [&](std::size_t limb) {
    for (std::size_t i = 0; i < out.polynomials(); ++i) body(out.row(i, limb), i, limb);
  });
  return out;
}

using Binary = void (*Kernels::*)(u64*, const u64*, const u64*, std::size_t, const Modulus&);
using WithScalar = void (*Kernels::*)(u64*, const u64*, u64, std::size_t, const Modulus&);

Buffer binary(Binary kernel, const Basis& basis, const Buffer& x, const Buffer& y) {
  basis.check(x);
  basis.check(y);
  return each_row(basis, broadcast(x.leading(), y.leading()), 2, [&](u64* out, std::size_t i, std::size_t limb) {
    (basis.kernels(limb).*kernel)(out, repeated(x, i, limb), repeated(y, i, limb), basis.ring_degree(),
                                  basis.modulus(limb));
  });
}

Buffer with_scalar(WithScalar kernel, const Basis& basis, const Buffer& x, const std::vector<u64>& scalars) {
  basis.check(x);
  basis.check_scalars(scalars);
  return each_row(basis, x.leading(), 2, [&](u64* out, std::size_t i, std::size_t limb) {
    (basis.kernels(limb).*kernel)(out, x.row(i, limb), scalars[limb], basis.ring_degree(), basis.modulus(limb));
  });
}

}  // namespace

Buffer zeros(const Basis& basis, const Axes& leading) {
  Buffer out(leading, basis.size(), basis.ring_degree());
  std::memset(out.data(), 0, 8 * out.words());
  return out;
}

Buffer join(const Buffer& first, const Buffer& second) {
  if (first.leading() != second.leading() || first.ring_degree() != second.ring_degree())
    throw std::invalid_argument("can not join leading axes " + to_string(first.leading()) +
                                ", N = " + std::to_string(first.ring_degree()) + " with " +
                                to_string(second.leading()) + ", N = " + std::to_string(second.ring_degree()));
  Buffer out(first.leading(), first.limbs() + second.limbs(), first.ring_degree());
  for (std::size_t i = 0; i < out.polynomials(); ++i) {
    std::copy_n(first.row(i, 0), first.limbs() * first.ring_degree(), out.row(i, 0));
    std::copy_n(second.row(i, 0), second.limbs() * second.ring_degree(), out.row(i, first.limbs()));
  }
  return out;
}

Buffer add(const Basis& basis, const Buffer& x, const Buffer& y) { return binary(&Kernels::add, basis, x, y); }
Buffer sub(const Basis& basis, const Buffer& x, const Buffer& y) { return binary(&Kernels::sub, basis, x, y); }
Buffer mul(const Basis& basis, const Buffer& x, const Buffer& y) { return binary(&Kernels::mul, basis, x, y); }

Buffer neg(const Basis& basis, const Buffer& x) {
  basis.check(x);
  return each_row(basis, x.leading(), 2, [&](u64* out, std::size_t i, std::size_t limb) {
    basis.kernels(limb).neg(out, x.row(i, limb), basis.ring_degree(), basis.modulus(limb));
  });
}

Buffer mul_add(const Basis& basis, const Buffer& x, const Buffer& y, const Buffer& z) {
  for (const Buffer* operand : {&x, &y, &z}) basis.check(*operand);
  const Axes& leading = broadcast(broadcast(x.leading(), y.leading()), z.leading());
  return each_row(basis, leading, 2, [&](u64* out, std::size_t i, std::size_t limb) {
    basis.kernels(limb).mul_add(out, repeated(x, i, limb), repeated(y, i, limb), repeated(z, i, limb),
                                basis.ring_degree(), basis.modulus(limb));
  });
}

Buffer mul_scalar(const Basis& basis, const Buffer& x, const std::vector<u64>& scalars) {
  return with_scalar(&Kernels::mul_scalar, basis, x, scalars);
}

Buffer add_scalar(const Basis& basis, const Buffer& x, const std::vector<u64>& scalars) {
  return with_scalar(&Kernels::add_scalar, basis, x, scalars);
}

Buffer inner_product(const Basis& basis, const std::vector<Buffer>& xs, const std::vector<Buffer>& ys) {
  if (xs.empty() || xs.size() != ys.size())
    throw std::invalid_argument("an inner product of " + std::to_string(xs.size()) + " with " +
                                std::to_string(ys.size()) + " buffers");
  Axes leading;
  for (std::size_t j = 0; j < xs.size(); ++j) {
    basis.check(xs[j]);
    basis.check_prefix(ys[j]);
    leading = broadcast(leading, broadcast(xs[j].leading(), ys[j].leading()));
  }
  return each_row(basis, leading, 2 * xs.size(), [&](u64* out, std::size_t i, std::size_t limb) {
    std::vector<const u64*> x_rows, y_rows;
    for (const Buffer& x : xs) x_rows.push_back(repeated(x, i, limb));
    for (const Buffer& y : ys) y_rows.push_back(repeated(y, i, limb));
    basis.kernels(limb).inner_product(out, x_rows.data(), y_rows.data(), xs.size(), basis.ring_degree(),
                                      basis.modulus(limb));
  });
}

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

Buffer ntt(const Basis& basis, const Buffer& x) {
  basis.check(x);
  return each_row(basis, x.leading(), kTransform, [&](u64* out, std::size_t i, std::size_t limb) {
    basis.kernels(limb).ntt(out, x.row(i, limb), basis.tables(limb));
  });
}

Buffer intt(const Basis& basis, const Buffer& x) {
  basis.check(x);
  return each_row(basis, x.leading(), kTransform, [&](u64* out, std::size_t i, std::size_t limb) {
    basis.kernels(limb).intt(out, x.row(i, limb), basis.tables(limb));
  });
}

}  // namespace fhe

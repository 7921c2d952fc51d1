#include "arithmetic.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "../pool/parallel.hpp"

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

// Bases, arithmetic, transforms, conversions and the wire.

#include <algorithm>

#include "../ring/arithmetic.hpp"
#include "../ring/automorphism.hpp"
#include "../ring/convert.hpp"
#include "../ring/division.hpp"
#include "../ring/inner_products.hpp"
#include "../ring/lift.hpp"
#include "../ring/order.hpp"
#include "../ring/pack.hpp"
#include "../ring/scale_round.hpp"
#include "../ring/tensor.hpp"
#include "../targets/dispatch.hpp"
#include "bindings.hpp"

namespace fhe {
namespace {

// The axes before the last ones, which must be `core`.
template <class T>
Axes leading_axes(const Array<T>& array, const Axes& core) {
  const Axes shape(array.shape(), array.shape() + array.ndim());
  if (shape.size() < core.size() || !std::equal(core.rbegin(), core.rend(), shape.rbegin()))
    throw py::value_error("an array " + to_string(shape) + " whose last axes are not " + to_string(core));
  return Axes(shape.begin(), shape.end() - static_cast<std::ptrdiff_t>(core.size()));
}

Buffer load_array(const Basis& basis, const Array<u64>& residues) {
  const Axes leading = leading_axes(residues, {basis.size(), basis.ring_degree()});
  return without_gil([&] { return load(basis, leading, residues.data()); });
}

Buffer reduce_array(const Basis& basis, const Array<i64>& coefficients) {
  const Axes leading = leading_axes(coefficients, {basis.ring_degree()});
  return without_gil([&] { return reduce(basis, leading, coefficients.data()); });
}

py::tuple tensor_tuple(const Basis& basis, const std::vector<Parts>& xs, const std::vector<Parts>& ys,
                       std::size_t x_coeffs, std::size_t y_coeffs) {
  std::vector<Buffer> c = without_gil([&] { return tensor(basis, xs, ys, x_coeffs, y_coeffs); });
  return py::make_tuple(std::move(c[0]), std::move(c[1]), std::move(c[2]));
}

std::vector<std::vector<Buffer>> inner_product_rows(const Basis& basis, const Components& xs,
                                                    const std::vector<std::vector<std::size_t>>& terms,
                                                    const Components& ys) {
  if (terms.size() != ys.size())
    throw py::value_error(std::to_string(terms.size()) + " sums of terms, and factors of " + std::to_string(ys.size()));
  std::vector<WeightedTerms> sums;
  for (std::size_t g = 0; g < ys.size(); ++g) sums.push_back({terms[g], ys[g]});
  return inner_products(basis, xs, sums);
}

// An array of doubles, one for each coefficient.
py::array_t<double> coefficients_of(const Buffer& x) {
  Axes shape = x.leading();
  shape.push_back(x.ring_degree());
  return py::array_t<double>(shape);
}

py::array_t<double> lift_array(const Basis& basis, const Buffer& x) {
  py::array_t<double> out = coefficients_of(x);
  double* const data = out.mutable_data();
  without_gil([&] { lift(basis, x, data); });
  return out;
}

std::pair<Buffer, py::array_t<double>> scale_round_array(const Basis& basis, const Basis& plain, const Buffer& x) {
  py::array_t<double> rest = coefficients_of(x);
  double* const data = rest.mutable_data();
  Buffer rounded = without_gil([&] { return scale_round(basis, plain, x, data); });
  return {std::move(rounded), std::move(rest)};
}

py::bytes pack_bytes(const Basis& basis, const Buffer& x) {
  auto out = py::reinterpret_steal<py::bytes>(
      PyBytes_FromStringAndSize(nullptr, static_cast<py::ssize_t>(packed_bytes(basis, x.leading()))));
  if (!out) throw py::error_already_set();
  auto* const data = reinterpret_cast<unsigned char*>(PyBytes_AS_STRING(out.ptr()));
  without_gil([&] { pack(basis, x, data); });
  return out;
}

Buffer unpack_bytes(const Basis& basis, const py::object& data, const Axes& leading) {
  const Bytes bytes(data);
  return without_gil([&] { return unpack(basis, leading, bytes.data(), bytes.size()); });
}

py::array_t<i64> evaluation_order_array(u64 ring_degree) {
  if (ring_degree < 8 || (ring_degree & (ring_degree - 1)) != 0 || ring_degree >> kMaxLogDegree > 1)
    throw py::value_error("ring degree " + std::to_string(ring_degree) + " is no power of two between 8 and 2^" +
                          std::to_string(kMaxLogDegree));
  const std::vector<u32> order = evaluation_order(ring_degree);
  py::array_t<i64> out(static_cast<py::ssize_t>(order.size()));
  std::copy(order.begin(), order.end(), out.mutable_data());
  return out;
}

std::vector<std::string> targets_of(const Basis& basis) {
  std::vector<std::string> names;
  for (std::size_t limb = 0; limb < basis.size(); ++limb) names.emplace_back(basis.kernels(limb).name);
  return names;
}

void bind_basis(py::module_& m) {
  py::class_<Basis>(m, "Basis")
      .def(py::init<std::size_t, const std::vector<u64>&, const std::vector<u64>&, const std::string&>(), NoGil(),
           py::arg("ring_degree"), py::arg("moduli"), py::arg("roots"), py::arg("target"))
      .def_property_readonly("targets", &targets_of);
  m.def("supported_targets", &supported_targets);
  m.def(
      "target_for",
      [](int bits, u64 ring_degree, const std::string& target) {
        return choose_kernels(bits, ring_degree, target.c_str()).name;
      },
      py::arg("modulus_bits"), py::arg("ring_degree"), py::arg("target"));
  m.def("evaluation_order", &evaluation_order_array, py::arg("ring_degree"));
}

void bind_arithmetic(py::module_& m) {
  const py::arg basis("basis"), x("x"), y("y"), z("z"), xs("xs"), ys("ys"), scalars("scalars");
  m.def("zeros", &zeros, NoGil(), basis, py::arg("leading") = Axes{});
  m.def("join", &join, NoGil(), py::arg("first"), py::arg("second"));
  m.def("add", &add, NoGil(), basis, x, y);
  m.def("sub", &sub, NoGil(), basis, x, y);
  m.def("neg", &neg, NoGil(), basis, x);
  m.def("mul", &mul, NoGil(), basis, x, y);
  m.def("mul_add", &mul_add, NoGil(), basis, x, y, z);
  m.def("tensor", &tensor_tuple, basis, xs, ys, py::arg("x_coeffs") = 0, py::arg("y_coeffs") = 0);
  m.def("mul_scalar", &mul_scalar, NoGil(), basis, x, scalars);
  m.def("add_scalar", &add_scalar, NoGil(), basis, x, scalars);
  m.def("inner_product", &inner_product, NoGil(), basis, xs, ys);
  m.def("inner_products", &inner_product_rows, NoGil(), py::arg("basis"), py::arg("xs"), py::arg("terms"),
        py::arg("ys"));
}

void bind_transforms(py::module_& m) {
  const py::arg basis("basis"), x("x"), element("element");
  m.def("ntt", &ntt, NoGil(), basis, x);
  m.def("intt", &intt, NoGil(), basis, x);
  m.def("to_natural", &to_natural, NoGil(), basis, x);
  m.def("from_natural", &from_natural, NoGil(), basis, x);
  m.def("automorphism_coeff", &automorphism_coeff, NoGil(), basis, x, element);
  m.def("automorphism_eval", &automorphism_eval, NoGil(), basis, x, element);
}

void bind_conversions(py::module_& m) {
  const py::arg basis("basis"), source("source"), target("target"), x("x"), start("start"), stop("stop");
  m.def("load", &load_array, basis, py::arg("residues"));
  m.def("reduce", &reduce_array, basis, py::arg("coefficients"));
  m.def("lift", &lift_array, basis, x);
  m.def("convert", &convert, NoGil(), source, target, x, py::arg("before") = std::vector<u64>{},
        py::arg("after") = std::vector<u64>{});
  m.def("scale_round", &scale_round_array, basis, py::arg("plain"), x);
  m.def("divide_round_coeff", &divide_round_coeff, NoGil(), basis, start, stop, x);
  m.def("divide_round_eval", &divide_round_eval, NoGil(), basis, start, stop, x);
  m.def("divide_round_sum", &divide_round_sum, NoGil(), basis, py::arg("special"), start, stop, x, py::arg("y"));
  m.def("pack", &pack_bytes, basis, x);
  m.def("unpack", &unpack_bytes, basis, py::arg("data"), py::arg("leading") = Axes{});
}

}  // namespace

void bind_ring(py::module_& m) {
  bind_basis(m);
  bind_arithmetic(m);
  bind_transforms(m);
  bind_conversions(m);
}

}  // namespace fhe

// Key switching.

#include "../rlwe/keyswitch.hpp"
#include "bindings.hpp"

namespace fhe {
namespace {

py::tuple decompose_tuple(const Basis& basis, std::size_t special, std::size_t digit, const Buffer& coeff,
                          const Buffer& evaluated) {
  std::vector<Buffer> digits = without_gil([&] { return decompose(basis, {special, digit, &coeff, evaluated}); });
  py::tuple result(digits.size());
  for (std::size_t j = 0; j < digits.size(); ++j) result[j] = py::cast(std::move(digits[j]));
  return result;
}

std::pair<Buffer, Buffer> switch_key(const Basis& basis, std::size_t special, std::size_t digit, const Buffer& coeff,
                                     const Buffer& evaluated, const std::vector<Buffer>& key_b,
                                     const std::vector<Buffer>& key_a) {
  return key_switch(basis, {special, digit, &coeff, evaluated}, {key_b, key_a});
}

std::pair<Buffer, Buffer> switch_key_down(const Basis& basis, std::size_t special, std::size_t digit, std::size_t stop,
                                          const Buffer& x, const std::vector<Buffer>& key_b,
                                          const std::vector<Buffer>& key_a, const std::vector<Buffer>& ys) {
  return switch_down(basis, {special, digit, nullptr, x}, {key_b, key_a}, stop, ys);
}

}  // namespace

void bind_rlwe(py::module_& m) {
  const py::arg basis("basis"), special("special"), digit("digit"), coeff("coeff"), evaluated("evaluated");
  m.def("decompose", &decompose_tuple, basis, special, digit, coeff, evaluated);
  m.def("key_switch", &switch_key, NoGil(), basis, special, digit, coeff, evaluated, py::arg("key_b"),
        py::arg("key_a"));
  m.def("switch_down", &switch_key_down, NoGil(), basis, special, digit, py::arg("stop"), py::arg("x"),
        py::arg("key_b"), py::arg("key_a"), py::arg("ys"));
}

}  // namespace fhe

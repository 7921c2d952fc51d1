// Key switching, and encryption.

#include "../rlwe/encryption.hpp"
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
                                     const Buffer& evaluated, const PackedKey& key) {
  return key_switch(basis, {special, digit, &coeff, evaluated}, key);
}

std::pair<Buffer, Buffer> switch_key_down(const Basis& basis, std::size_t special, std::size_t digit, std::size_t stop,
                                          const Buffer& x, const PackedKey& key, const std::vector<Buffer>& ys) {
  return switch_down(basis, {special, digit, nullptr, x}, key, stop, ys);
}

std::pair<Buffer, Buffer> encrypt_with(const Basis& basis, std::size_t special, const Buffer& b, const Buffer& a,
                                       const py::object& u, const py::object& e0, const py::object& e1,
                                       const Buffer& message) {
  const Bytes bytes[3] = {Bytes(u), Bytes(e0), Bytes(e1)};
  const auto stream = [&](int i) { return Stream{bytes[i].data(), bytes[i].size()}; };
  return without_gil([&] { return encrypt(basis, special, b, a, {stream(0), stream(1), stream(2)}, message); });
}

}  // namespace

void bind_rlwe(py::module_& m) {
  const py::arg basis("basis"), special("special"), digit("digit"), coeff("coeff"), evaluated("evaluated"), key("key");
  py::class_<PackedKey>(m, "PackedKey").def_property_readonly("nbytes", &PackedKey::bytes);
  m.def(
      "pack_key",
      [](const Basis& b, const std::vector<Buffer>& rows_b, const std::vector<Buffer>& rows_a) {
        return PackedKey(b, rows_b, rows_a);
      },
      NoGil(), basis, py::arg("b"), py::arg("a"));
  m.def("unpack_key", &PackedKey::rows, NoGil(), key);
  m.def("decompose", &decompose_tuple, basis, special, digit, coeff, evaluated);
  m.def("key_product", &key_product, NoGil(), basis, py::arg("digits"), key);
  m.def("key_switch", &switch_key, NoGil(), basis, special, digit, coeff, evaluated, key);
  m.def("switch_down", &switch_key_down, NoGil(), basis, special, digit, py::arg("stop"), py::arg("x"), key,
        py::arg("ys"));
  m.def("encrypt", &encrypt_with, basis, special, py::arg("b"), py::arg("a"), py::arg("u"), py::arg("e0"),
        py::arg("e1"), py::arg("message"));
}

}  // namespace fhe

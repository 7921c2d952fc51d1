// Sampling from keystream.

#include "../random/sampling.hpp"
#include "bindings.hpp"

namespace fhe {
namespace {

template <Buffer (*sample)(const Basis&, const Stream&)>
Buffer from_bytes(const Basis& basis, const py::object& words) {
  const Bytes bytes(words);
  return without_gil([&] { return sample(basis, {bytes.data(), bytes.size()}); });
}

}  // namespace

void bind_random(py::module_& m) {
  m.def("uniform", &from_bytes<uniform>, py::arg("basis"), py::arg("words"));
  m.def("ternary", &from_bytes<ternary>, py::arg("basis"), py::arg("words"));
  m.def("centred_binomial", &from_bytes<centred_binomial>, py::arg("basis"), py::arg("words"));
}

}  // namespace fhe

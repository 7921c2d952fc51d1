// What the binding files share: conversions of arguments, and nothing that computes.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "../pool/buffer.hpp"

namespace fhe {

namespace py = pybind11;

void bind_memory(py::module_& m);
void bind_ring(py::module_& m);
void bind_random(py::module_& m);
void bind_rlwe(py::module_& m);

// Other Python threads run while a bound function computes.
using NoGil = py::call_guard<py::gil_scoped_release>;

template <class Function>
auto without_gil(const Function& function) {
  const py::gil_scoped_release released;
  return function();
}

// A C-contiguous array of T; other layouts are copied, other types refused.
template <class T>
using Array = py::array_t<T, py::array::c_style>;

// The bytes of a bytes-like object, held for the time of a call.
class Bytes {
 public:
  explicit Bytes(const py::object& object) {
    if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_SIMPLE) != 0) throw py::error_already_set();
  }
  ~Bytes() { PyBuffer_Release(&view_); }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;

  const unsigned char* data() const { return static_cast<const unsigned char*>(view_.buf); }
  std::size_t size() const { return static_cast<std::size_t>(view_.len); }

 private:
  Py_buffer view_;
};

}  // namespace fhe

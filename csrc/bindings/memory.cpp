// Buffers, secret words and the pool.

#include "../pool/threads.hpp"
#include "bindings.hpp"

namespace fhe {
namespace {

std::vector<py::ssize_t> shape_of(const Buffer& x) {
  std::vector<py::ssize_t> shape(x.leading().begin(), x.leading().end());
  shape.push_back(static_cast<py::ssize_t>(x.limbs()));
  shape.push_back(static_cast<py::ssize_t>(x.ring_degree()));
  return shape;
}

// The array keeps the buffer alive.
py::array_t<u64> view(const Buffer& x) {
  py::array_t<u64> array(shape_of(x), x.data(), py::cast(&x));
  py::detail::array_proxy(array.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return array;
}

py::buffer_info residues(Buffer& x) {
  return {x.data(),
          8,
          py::format_descriptor<u64>::format(),
          static_cast<py::ssize_t>(x.leading().size()) + 2,
          shape_of(x),
          py::detail::c_strides(shape_of(x), 8),
          true};
}

py::buffer_info secret_bytes(SecretWords& words) {
  const auto bytes = static_cast<py::ssize_t>(words.bytes());
  return {words.data(), 1, py::format_descriptor<unsigned char>::format(), 1, {bytes}, {1}};
}

py::dict statistics() {
  const PoolStatistics now = pool_statistics();
  py::dict result;
  result["current"] = now.current;
  result["peak"] = now.peak;
  result["kept"] = now.kept;
  return result;
}

}  // namespace

void bind_memory(py::module_& m) {
  py::class_<Buffer>(m, "Buffer", py::buffer_protocol())
      .def_property_readonly("shape", [](const Buffer& x) { return py::tuple(py::cast(shape_of(x))); })
      .def_buffer(&residues);
  py::class_<SecretWords>(m, "SecretWords", py::buffer_protocol())
      .def(py::init<std::size_t>(), py::arg("count"))
      .def_buffer(&secret_bytes);
  m.def("view", &view, py::arg("buffer"));
  m.def("limbs", &Buffer::slice, NoGil(), py::arg("buffer"), py::arg("start"), py::arg("stop"));
  m.def("wipe", [](Buffer& x) { wipe(x.data(), 8 * x.words()); }, NoGil(), py::arg("buffer"));
  m.def("pool_statistics", &statistics);
  m.def("reset_pool_peak", &reset_pool_peak);
  m.def("num_threads", &num_threads);
  m.def("set_num_threads", &set_num_threads, NoGil(), py::arg("threads"));
  m.def("trim_pool", &trim_pool, NoGil());
}

}  // namespace fhe

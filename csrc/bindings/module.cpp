// fhe._core: the native operations of fhe/backend/protocol.py, typed in fhe/_core.pyi.

#include "bindings.hpp"

PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
  m.doc() = "Native operations on residue polynomials; fhe.backend.native presents them as a Backend.";
  fhe::bind_memory(m);
  fhe::bind_ring(m);
  fhe::bind_random(m);
  fhe::bind_rlwe(m);
}

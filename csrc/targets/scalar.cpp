// Portable 64-bit words: every CPU, every prime below 2^60.
#include "../simd/scalar.hpp"

#include "../kernels/includes.hpp"
#include "targets.hpp"

namespace fhe {
namespace {
using Simd = simd::Scalar;
#include "../kernels/integers.inl"
#include "../kernels/target.inl"
}  // namespace

const Kernels& scalar_kernels() { return kKernels; }

}  // namespace fhe

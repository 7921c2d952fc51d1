// AArch64: primes below 2^50 in doubles, rings from 2^7.
#if defined(__aarch64__)

#include "../simd/neon.hpp"

#include "../kernels/includes.hpp"
#include "targets.hpp"

namespace fhe {
namespace {
using Simd = simd::Neon;
#include "../kernels/reals.inl"
#include "../kernels/target.inl"
}  // namespace

const Kernels& neon_kernels() { return kKernels; }

}  // namespace fhe

#endif  // AArch64

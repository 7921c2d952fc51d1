// AVX-512 without IFMA (Skylake-X, Cascade Lake): primes below 2^50 in doubles, rings from 2^7.
#if defined(__x86_64__)

#include "../simd/avx512.hpp"

#include "../kernels/includes.hpp"
#include "targets.hpp"

FHE_TARGET_REGION_BEGIN("avx512f,avx512dq")

namespace fhe {
namespace {
using Simd = simd::Avx512;
#include "../kernels/reals.inl"
#include "../kernels/target.inl"
}  // namespace

const Kernels& avx512_kernels() { return kKernels; }

}  // namespace fhe

FHE_TARGET_REGION_END

#endif  // x86-64

// AVX2 with FMA (Haswell, Zen and later): primes below 2^50 in doubles, rings from 2^7.
#if defined(__x86_64__)

#include "../simd/avx2.hpp"

#include "../kernels/includes.hpp"
#include "targets.hpp"

FHE_TARGET_REGION_BEGIN("avx2,fma")

namespace fhe {
namespace {
using Simd = simd::Avx2;
#include "../kernels/reals.inl"
#include "../kernels/target.inl"
}  // namespace

const Kernels& avx2_kernels() { return kKernels; }

}  // namespace fhe

FHE_TARGET_REGION_END

#endif  // x86-64

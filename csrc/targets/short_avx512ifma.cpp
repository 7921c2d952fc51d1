// 256-bit IFMA as AVX-512 encodes it (its CPUs have wider vectors too): primes below 2^50, rings from 2^7.
#if defined(__x86_64__)

#include "../kernels/includes.hpp"
#include "../simd/avxifma.hpp"
#include "targets.hpp"

FHE_TARGET_REGION_BEGIN("avx2,fma,avx512f,avx512ifma,avx512vl")

namespace fhe {
namespace {
using Simd = simd::ShortAvx512Ifma;
#include "../kernels/integers.inl"
#include "../kernels/target.inl"
}  // namespace

const Kernels& short_avx512ifma_kernels() { return kKernels; }

}  // namespace fhe

FHE_TARGET_REGION_END

#endif  // x86-64

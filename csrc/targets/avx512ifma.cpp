// AVX-512 with IFMA (Ice Lake, Zen 4 and later): primes below 2^50, rings from 2^7.
#if defined(__x86_64__)

#include "../simd/avx512ifma.hpp"

#include "../kernels/includes.hpp"
#include "targets.hpp"

FHE_TARGET_REGION_BEGIN("avx512f,avx512dq,avx512bw,avx512ifma,avx512vbmi")

namespace fhe {
namespace {
using Simd = simd::Avx512Ifma;
#include "../kernels/integers.inl"
#include "../kernels/target.inl"
}  // namespace

const Kernels& avx512ifma_kernels() { return kKernels; }

}  // namespace fhe

FHE_TARGET_REGION_END

#endif  // x86-64

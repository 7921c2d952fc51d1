// 256-bit IFMA (Sierra Forest, Arrow Lake and later): primes below 2^50, rings from 2^7. In the encoding of AVX-IFMA
// where compiler and CPU know it, else in that of AVX-512.
#if defined(__x86_64__)

#include "../simd/avxifma.hpp"

#if FHE_HAS_AVXIFMA

#include "../kernels/includes.hpp"
#include "targets.hpp"

FHE_TARGET_REGION_BEGIN("avx2,fma,avxifma")

namespace fhe {
namespace {
using Simd = simd::AvxIfma;
#include "../kernels/integers.inl"
#include "../kernels/target.inl"
}  // namespace

const Kernels& avxifma_kernels() { return Simd::supported() ? kKernels : short_avx512ifma_kernels(); }

}  // namespace fhe

FHE_TARGET_REGION_END

#else

#include "targets.hpp"

namespace fhe {

const Kernels& avxifma_kernels() { return short_avx512ifma_kernels(); }

}  // namespace fhe

#endif  // FHE_HAS_AVXIFMA

#endif  // x86-64

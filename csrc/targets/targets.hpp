// The kernel table of each target that this build contains.
#pragma once

#include "../kernels/kernels.hpp"

namespace fhe {

const Kernels& scalar_kernels();
#if defined(__x86_64__)
const Kernels& avx512ifma_kernels();
const Kernels& avx512_kernels();
const Kernels& avxifma_kernels();
const Kernels& short_avx512ifma_kernels();
const Kernels& avx2_kernels();
#elif defined(__aarch64__)
const Kernels& neon_kernels();
#endif

}  // namespace fhe

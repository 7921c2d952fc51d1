// The kernel table of each target that this build contains.
#pragma once

#include "../kernels/kernels.hpp"

namespace fhe {

const Kernels& scalar_kernels();

}  // namespace fhe

// Which target runs a prime: chosen once, when its tables are built.
#pragma once

#include <vector>

#include "../kernels/kernels.hpp"

namespace fhe {

// The widest target that this CPU has and that takes primes of `modulus_bits` in rings of `ring_degree`.
//
// A name in `target` ("" for any) forces: search begins there and falls to narrower targets only where the
// forced one cannot take the prime or the ring. Throws std::invalid_argument for a name that is unknown or
// that this CPU does not run, and for a modulus or ring that no target takes.
const Kernels& choose_kernels(int modulus_bits, u64 ring_degree, const char* target);

// The targets this CPU runs, widest first; "scalar" is always the last.
std::vector<const char*> supported_targets();

}  // namespace fhe

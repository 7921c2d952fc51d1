#include "dispatch.hpp"

#include <cstring>
#include <stdexcept>
#include <string>

#include "targets.hpp"

namespace fhe {
namespace {

// Widest first; each takes every prime and ring that its predecessors take.
std::vector<const Kernels*> compiled_targets() {
  return {
#if defined(__x86_64__)
      &avx512ifma_kernels(), &avx512_kernels(), &avxifma_kernels(), &avx2_kernels(),
#elif defined(__aarch64__)
      &neon_kernels(),
#endif
      &scalar_kernels(),
  };
}

std::vector<const Kernels*> running_targets() {
#if defined(__x86_64__)
  __builtin_cpu_init();  // some C libraries leave it to whoever asks
#endif
  std::vector<const Kernels*> running;
  for (const Kernels* kernels : compiled_targets()) {
    if (kernels->supported()) running.push_back(kernels);
  }
  return running;
}

std::string names(const std::vector<const Kernels*>& targets) {
  std::string list;
  for (const Kernels* kernels : targets) list += (list.empty() ? "" : ", ") + std::string(kernels->name);
  return list;
}

}  // namespace

const Kernels& choose_kernels(int modulus_bits, u64 ring_degree, const char* target) {
  const std::vector<const Kernels*> running = running_targets();
  bool reached = *target == '\0';
  for (const Kernels* kernels : running) {
    reached = reached || std::strcmp(kernels->name, target) == 0;
    if (reached && modulus_bits <= kernels->max_modulus_bits && ring_degree >= kernels->min_ring_degree) {
      return *kernels;
    }
  }
  if (!reached) {
    throw std::invalid_argument("target \"" + std::string(target) + "\" is unknown or not supported by this CPU; use " +
                                names(running));
  }
  throw std::invalid_argument("no target takes primes of " + std::to_string(modulus_bits) +
                              " bits in rings of degree " + std::to_string(ring_degree) +
                              "; scalar takes 60 bits and degree 2");
}

std::vector<const char*> supported_targets() {
  std::vector<const char*> supported;
  for (const Kernels* kernels : running_targets()) supported.push_back(kernels->name);
  return supported;
}

}  // namespace fhe

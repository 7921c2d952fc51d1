// Memory for residues, recycled.
//
// A fresh page costs microseconds at its first touch, more than the arithmetic done on it. Freed blocks are therefore
// kept and handed out again, last freed first, while their bytes are still in cache.
#pragma once

#include <cstddef>
#include <memory>

#include "../word.hpp"

namespace fhe {

struct PoolStatistics {
  std::size_t current;  // bytes handed out
  std::size_t peak;     // the most since the start or `reset_pool_peak`
  std::size_t kept;     // bytes of free blocks
};

// Gives a block back to the pool.
struct Release {
  std::size_t words;
  void operator()(u64* block) const noexcept;
};

// A block of the pool for as long as it lives: 64-byte aligned, contents undefined. Throws std::bad_alloc.
using Block = std::unique_ptr<u64[], Release>;
Block take(std::size_t words);

PoolStatistics pool_statistics();
void reset_pool_peak();
// Returns every free block to the system.
void trim_pool() noexcept;

// Zeros that the compiler may not drop, however dead the memory looks to it.
void wipe(void* memory, std::size_t bytes) noexcept;

}  // namespace fhe

// How loops over limbs, polynomials and blocks of coefficients are run: alone, or spread over threads.
//
// A loop says how many passes over a row of words its work amounts to; where all of it is less than a wake-up of the
// workers, it runs on its own thread.
#pragma once

#include <algorithm>
#include <cstddef>

#include "threads.hpp"

namespace fhe {

// A transform, in passes of additions over its row.
constexpr std::size_t kTransform = 16;
// Words that must be passed over before threads are worth waking: about 100 microseconds of additions.
constexpr std::size_t kWorthThreads = std::size_t{1} << 19;

// body(i) for 0 <= i < count, each some `work` in words passed over. Bodies run in any order, possibly at once: they
// write different rows.
template <class Body>
void for_each_limb(std::size_t count, std::size_t work, const Body& body) {
  if (count * work < kWorthThreads) {
    for (std::size_t i = 0; i < count; ++i) body(i);
  } else {
    run_loop({[](const void* f, std::size_t i) { (*static_cast<const Body*>(f))(i); }, &body}, count);
  }
}

// body(start, size) for consecutive groups of at most `group` limbs out of count; of fewer where that lets all threads
// end together.
template <class Body>
void for_each_group(std::size_t count, std::size_t group, std::size_t work, const Body& body) {
  if (count == 0) return;
  const std::size_t threads = num_threads();
  std::size_t size = std::min(group, (count + threads - 1) / threads);
  while (size > 1 && (count + size - 1) / size % threads != 0) --size;
  for_each_limb((count + size - 1) / size, work * size,
                [&](std::size_t i) { body(i * size, std::min(size, count - i * size)); });
}

// body(offset, size) for consecutive blocks of `block` (a power of two) coefficients out of n.
template <class Body>
void for_each_block(std::size_t n, std::size_t block, std::size_t passes, const Body& body) {
  for_each_limb((n + block - 1) / block, block * passes,
                [&](std::size_t i) { body(i * block, std::min(block, n - i * block)); });
}

}  // namespace fhe

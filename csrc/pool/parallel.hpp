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
// Words that must be passed over before threads are worth waking: about 15 microseconds of additions.
constexpr std::size_t kWorthThreads = std::size_t{1} << 16;

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

// body(start, size) for consecutive groups of at most `group` limbs out of count; the last ones are smaller where that
// lets all threads end together.
template <class Body>
void for_each_group(std::size_t count, std::size_t group, std::size_t work, const Body& body) {
  if (count == 0) return;
  const std::size_t threads = num_threads(), size = std::min(group, (count + threads - 1) / threads);
  const std::size_t full = count / (size * threads) * threads, rest = count - full * size;
  const std::size_t small = std::max<std::size_t>((rest + threads - 1) / threads, 1);
  for_each_limb(full + (rest + small - 1) / small, work * size, [&](std::size_t i) {
    const std::size_t start = i < full ? i * size : full * size + (i - full) * small;
    body(start, std::min(i < full ? size : small, count - start));
  });
}

// body(offset, size) for consecutive blocks of `block` (a power of two) coefficients out of n.
template <class Body>
void for_each_block(std::size_t n, std::size_t block, std::size_t passes, const Body& body) {
  for_each_limb((n + block - 1) / block, block * passes,
                [&](std::size_t i) { body(i * block, std::min(block, n - i * block)); });
}

}  // namespace fhe

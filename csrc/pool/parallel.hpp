// How loops over limbs, polynomials and blocks of coefficients are run: the one place that a thread pool would enter.
#pragma once

#include <algorithm>
#include <cstddef>

namespace fhe {

// body(i) for 0 <= i < count. Bodies run in any order, possibly at once: they write different rows.
template <class Body>
void for_each_limb(std::size_t count, const Body& body) {
  for (std::size_t i = 0; i < count; ++i) body(i);
}

// body(start, size) for consecutive groups of `group` limbs out of count, the last one maybe smaller.
template <class Body>
void for_each_group(std::size_t count, std::size_t group, const Body& body) {
  for (std::size_t start = 0; start < count; start += group) body(start, std::min(group, count - start));
}

// body(offset, size) for consecutive blocks of `block` (a power of two) coefficients out of n.
template <class Body>
void for_each_block(std::size_t n, std::size_t block, const Body& body) {
  for (std::size_t offset = 0; offset < n; offset += block) body(offset, std::min(block, n - offset));
}

}  // namespace fhe

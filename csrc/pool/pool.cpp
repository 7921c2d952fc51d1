#include "pool.hpp"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <new>

#include "locks.hpp"

namespace fhe {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kKeptLimit = 0;  // a reused block would hide a use after free
#else
constexpr std::size_t kKeptLimit = std::size_t{512} << 20;
#endif

// A free block holds its size and the pointer to the next one of its class.
struct FreeBlock {
  FreeBlock* next;
  std::size_t bytes;
};

struct Pool {
  std::array<FreeBlock*, 4 * 64> free{};
  PoolStatistics statistics{0, 0, 0};
};

Pool& pool() {
  static Pool* const instance = new Pool;  // never destroyed: buffers may outlive static destruction
  return *instance;
}

// Sizes are rounded up to 4, 5, 6 or 7 times a power of two: at most a quarter is wasted, and never touched.
struct SizeClass {
  std::size_t index, bytes;
};

SizeClass size_class(std::size_t words) {
  const std::size_t bytes = std::max<std::size_t>(8 * words, 256);
  const int exponent = 63 - __builtin_clzll(bytes);
  const std::size_t step = std::size_t{1} << (exponent - 2);
  const std::size_t quarters = (bytes + step - 1) >> (exponent - 2);
  return {4 * static_cast<std::size_t>(exponent) + quarters - 4, kKeptLimit == 0 ? bytes : quarters * step};
}

std::align_val_t alignment(std::size_t bytes) { return std::align_val_t{bytes >= kHugePage ? kHugePage : 64}; }

// Large blocks ask for huge pages, which cost less to touch and to address; that the system may decline is no error.
void* allocate(std::size_t bytes) {
  void* memory = ::operator new(bytes, alignment(bytes));
#ifdef __linux__
  if (bytes >= kHugePage) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return memory;
}

// Where the system has no more, free blocks of other sizes are given back first.
void* allocate_or_trim(std::size_t bytes) {
  try {
    return allocate(bytes);
  } catch (const std::bad_alloc&) {
    trim_pool();
    return allocate(bytes);
  }
}

void deallocate(void* memory, std::size_t bytes) noexcept { ::operator delete(memory, alignment(bytes)); }

void* reuse(const SizeClass& size) {
  const std::lock_guard<std::mutex> guard(locks().pool);
  auto& [free, statistics] = pool();
  FreeBlock* block = free[size.index];
  if (block == nullptr) return nullptr;
  free[size.index] = block->next;
  statistics.kept -= size.bytes;
  return block;
}

bool keep(void* memory, const SizeClass& size) noexcept {
  const std::lock_guard<std::mutex> guard(locks().pool);
  auto& [free, statistics] = pool();
  statistics.current -= size.bytes;
  if (statistics.kept + size.bytes > kKeptLimit) return false;
  statistics.kept += size.bytes;
  free[size.index] = new (memory) FreeBlock{free[size.index], size.bytes};
  return true;
}

void count(const SizeClass& size) {
  const std::lock_guard<std::mutex> guard(locks().pool);
  auto& statistics = pool().statistics;
  statistics.current += size.bytes;
  statistics.peak = std::max(statistics.peak, statistics.current);
}

}  // namespace

Block take(std::size_t words) {
  if (words > (std::size_t{1} << 48)) throw std::bad_alloc();
  const SizeClass size = size_class(words);
  void* memory = reuse(size);
  if (memory == nullptr) memory = allocate_or_trim(size.bytes);
  count(size);
  return Block(static_cast<u64*>(memory), Release{words});
}

// A pool that overflows is emptied rather than closed: the sizes of an earlier phase must not starve the present one.
void Release::operator()(u64* block) const noexcept {
  const SizeClass size = size_class(words);
  if (keep(block, size)) return;
  trim_pool();
  deallocate(block, size.bytes);
}

PoolStatistics pool_statistics() {
  const std::lock_guard<std::mutex> guard(locks().pool);
  return pool().statistics;
}

void reset_pool_peak() {
  const std::lock_guard<std::mutex> guard(locks().pool);
  pool().statistics.peak = pool().statistics.current;
}

void trim_pool() noexcept {
  std::array<FreeBlock*, 4 * 64> unused{};
  {
    const std::lock_guard<std::mutex> guard(locks().pool);
    unused.swap(pool().free);
    pool().statistics.kept = 0;
  }
  for (FreeBlock* block : unused) {
    while (block != nullptr) {
      const FreeBlock released = *block;
      deallocate(block, released.bytes);
      block = released.next;
    }
  }
}

void wipe(void* memory, std::size_t bytes) noexcept {
  std::memset(memory, 0, bytes);
  __asm__ __volatile__("" : : "r"(memory) : "memory");  // the zeros are read, as far as the compiler can tell
}

}  // namespace fhe

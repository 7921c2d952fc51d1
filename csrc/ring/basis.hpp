// A basis: a ring degree N and primes q_i with their transforms, and the constants derived from them.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <typeindex>
#include <utility>
#include <vector>

#include "../kernels/kernels.hpp"
#include "../pool/buffer.hpp"
#include "../pool/locks.hpp"
#include "ntt_tables.hpp"

namespace fhe {

// Some primes of a basis, in order. The tables live as long as the basis.
using Limbs = std::vector<const NttTables*>;

class Basis {
 public:
  // Each prime q = 1 mod 2N is bound to the widest kernels of `target` ("" is the best of this CPU) that take it.
  // Tables are shared with every other basis of the process. Throws std::invalid_argument.
  Basis(std::size_t ring_degree, const std::vector<u64>& moduli, const std::vector<u64>& roots,
        const std::string& target);

  std::size_t ring_degree() const { return ring_degree_; }
  std::size_t size() const { return tables_.size(); }
  const NttTables& tables(std::size_t limb) const { return *tables_[limb]; }
  const Modulus& modulus(std::size_t limb) const { return tables_[limb]->q; }
  const Kernels& kernels(std::size_t limb) const { return *tables_[limb]->kernels; }

  // Limbs start … stop-1, and all the others.
  Limbs limbs(std::size_t start, std::size_t stop) const;
  Limbs without(std::size_t start, std::size_t stop) const;

  // Throw std::invalid_argument unless x has this ring degree and these limbs, or more after them.
  void check(const Buffer& x) const;
  void check_prefix(const Buffer& x) const;
  // Throws std::invalid_argument unless these are residues, one for each prime.
  void check_scalars(const std::vector<u64>& scalars) const;

  // The Constants that `make` derives from this basis and `key`, made once and kept as long as the basis. A key holds
  // values, never the identity of another object: what it names can not change or die.
  template <class Constants, class Make>
  const Constants& constants(const std::vector<u64>& key, const Make& make) const {
    const std::lock_guard<std::mutex> guard(locks().tables);
    auto& entry = constants_[{std::type_index(typeid(Constants)), key}];
    if (entry == nullptr) entry = std::make_shared<const Constants>(make());
    return *static_cast<const Constants*>(entry.get());
  }

 private:
  std::size_t ring_degree_;
  std::vector<std::shared_ptr<const NttTables>> tables_;
  mutable std::map<std::pair<std::type_index, std::vector<u64>>, std::shared_ptr<const void>> constants_;
};

// The leading axes of a result: of two operands one may lack (some of) the first axes of the other, and is repeated.
// Throws std::invalid_argument.
const Axes& broadcast(const Axes& x, const Axes& y);

std::string to_string(const Axes& axes);

}  // namespace fhe

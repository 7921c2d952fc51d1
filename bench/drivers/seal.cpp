// Microsoft SEAL, https://github.com/microsoft/SEAL. Arguments: ckks or bfv, log2 N, the scale's bits or the plain
// modulus, then the bits of every prime; the last one is special.
#include <seal/seal.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <stdexcept>

#include "driver.hpp"

namespace {

using namespace seal;

EncryptionParameters parameters(bool ckks, std::size_t degree, std::uint64_t plain, const std::vector<int>& bits) {
  EncryptionParameters chosen(ckks ? scheme_type::ckks : scheme_type::bfv);
  chosen.set_poly_modulus_degree(degree);
  chosen.set_coeff_modulus(CoeffModulus::Create(degree, bits));
  if (!ckks) chosen.set_plain_modulus(plain);
  return chosen;
}

PublicKey public_key_of(KeyGenerator& generator) {
  PublicKey key;
  generator.create_public_key(key);
  return key;
}

// Keys, and a few ciphertexts at the highest level.
struct Side {
  bool ckks;
  std::size_t degree;
  double scale;
  SEALContext context;
  KeyGenerator generator;
  PublicKey public_key;
  RelinKeys relinearization;
  GaloisKeys galois;
  std::unique_ptr<CKKSEncoder> reals;
  std::unique_ptr<BatchEncoder> integers;
  Evaluator evaluator;
  Encryptor encryptor;
  Decryptor decryptor;
  std::vector<double> values;
  std::vector<std::uint64_t> numbers;
  Plaintext plain, plain_factor, decrypted;
  Ciphertext x, y, tensor, degree_one, out;
  double error = 0;

  Side(bool is_ckks, std::size_t n, std::uint64_t given, const std::vector<int>& bits)
      : ckks(is_ckks),
        degree(n),
        scale(std::exp2(static_cast<double>(is_ckks ? given : 0))),
        context(parameters(is_ckks, n, given, bits), true, sec_level_type::tc128),
        generator(context),
        public_key(public_key_of(generator)),
        evaluator(context),
        encryptor(context, public_key),
        decryptor(context, generator.secret_key()),
        values(n / 2),
        numbers(n) {
    generator.create_relin_keys(relinearization);
    generator.create_galois_keys(std::vector<int>{1}, galois);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i % 100) / 100 - 0.5;
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i % 100;
    if (ckks) reals = std::make_unique<CKKSEncoder>(context);
    if (!ckks) integers = std::make_unique<BatchEncoder>(context);
    encode(plain);
    encryptor.encrypt(plain, x);
    encryptor.encrypt(plain, y);
    decryptor.decrypt(x, decrypted);
    evaluator.multiply(x, y, tensor);
    evaluator.relinearize(tensor, relinearization, degree_one);
    check();
  }

  void encode(Plaintext& to) { ckks ? reals->encode(values, scale, to) : integers->encode(numbers, to); }
  void decode() {
    std::vector<double> real;
    std::vector<std::uint64_t> integer;
    ckks ? reals->decode(decrypted, real) : integers->decode(decrypted, integer);
  }
  void multiply() {
    evaluator.multiply(x, y, out);
    evaluator.relinearize_inplace(out, relinearization);
    if (ckks) evaluator.rescale_to_next_inplace(out);
  }
  void make_keys() {
    KeyGenerator fresh(context);
    PublicKey key;
    RelinKeys first;
    GaloisKeys second;
    fresh.create_public_key(key);
    fresh.create_relin_keys(first);
    fresh.create_galois_keys(std::vector<int>{1}, second);
  }

  // A wrong result is not worth a measurement.
  void check() {
    multiply();
    Plaintext product;
    decryptor.decrypt(out, product);
    std::vector<double> real;
    std::vector<std::uint64_t> integer;
    ckks ? reals->decode(product, real) : integers->decode(product, integer);
    for (std::size_t i = 0; ckks && i < values.size(); ++i)
      error = std::max(error, std::fabs(real[i] - values[i] * values[i]));
    for (std::size_t i = 0; !ckks && i < numbers.size(); ++i) error += integer[i] != numbers[i] * numbers[i];
    if (error > 1e-3) throw std::runtime_error("SEAL's product is wrong");
  }

  std::map<std::string, bench::Call> calls() {
    return {
        {"add", [this] { evaluator.add(x, y, out); }},
        {"multiply", [this] { evaluator.multiply(x, y, out); }},
        {"relinearize", [this] { evaluator.relinearize(tensor, relinearization, out); }},
        {"rescale",
         [this] { ckks ? evaluator.rescale_to_next(degree_one, out) : evaluator.mod_switch_to_next(degree_one, out); }},
        {"product", [this] { multiply(); }},
        {"multiply_plain", [this] { evaluator.multiply_plain(x, plain, out); }},
        {"rotate",
         [this] { ckks ? evaluator.rotate_vector(x, 1, galois, out) : evaluator.rotate_rows(x, 1, galois, out); }},
        {"encode", [this] { encode(plain_factor); }},
        {"encrypt", [this] { encryptor.encrypt(plain, out); }},
        {"encode_encrypt", [this] { encode(plain_factor), encryptor.encrypt(plain_factor, out); }},
        {"decrypt", [this] { decryptor.decrypt(x, decrypted); }},
        {"decode", [this] { decode(); }},
        {"decrypt_decode", [this] { decryptor.decrypt(x, decrypted), decode(); }},
        {"keys", [this] { make_keys(); }},
    };
  }
  bench::Call call(const std::string& operation) {
    const auto all = calls();
    const auto found = all.find(operation);
    return found == all.end() ? bench::Call() : found->second;
  }

  std::string facts() {
    const auto& data = *context.key_context_data();
    const auto& first = *context.first_context_data();
    std::ostringstream json, names;
    for (const auto& [name, call] : calls()) names << (names.tellp() > 0 ? ", \"" : "\"") << name << '"';
    const std::size_t limbs = first.parms().coeff_modulus().size();
    json << "{\"library\": \"SEAL\", \"log_qp\": " << data.total_coeff_modulus_bit_count() << ", \"limbs\": " << limbs
         << ", \"special\": 1, \"levels\": " << limbs - 1 << ", \"digits\": " << limbs
         << ", \"right_bits\": " << (ckks ? -std::log2(error) : 0.0) << ", \"operations\": [" << names.str() << "]"
         << ", \"peak_mebibytes\": " << bench::peak_mebibytes()
         << ", \"bytes\": {\"ciphertext\": " << 8 * x.size() * x.poly_modulus_degree() * x.coeff_modulus_size()
         << ", \"ciphertext sent\": " << x.save_size(compr_mode_type::none)
         << ", \"switching key\": " << 16 * limbs * (limbs + 1) * degree
         << ", \"switching key sent\": " << relinearization.save_size(compr_mode_type::none) / 2 << "}}";
    return json.str();
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) return std::fprintf(stderr, "seal ckks|bfv LOG_N GIVEN BITS…\n"), 1;
  std::vector<int> bits;
  for (int i = 4; i < argc; ++i) bits.push_back(std::atoi(argv[i]));
  Side side(std::string(argv[1]) == "ckks", std::size_t{1} << std::atoi(argv[2]), std::strtoull(argv[3], nullptr, 10),
            bits);
  return bench::serve([&](const std::string& operation, const bench::Numbers&) { return side.call(operation); },
                      [&] { return side.facts(); });
}

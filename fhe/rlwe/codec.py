"""Keys and ciphertexts to bytes and back. What travels is public; no secret key can be reached from here.

Every uniform half is sent as the 32-byte seed that it expands from: of public and evaluation keys, and of fresh
symmetric ciphertexts. Each is expanded by the labels that its maker used: `fhe.rlwe.secret`.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Final

import numpy as np

from fhe.backend.protocol import Backend
from fhe.errors import FormatError, ParameterError
from fhe.interval import Interval
from fhe.io.claims import Claims
from fhe.io.format import Container
from fhe.io.pieces import Made, Section
from fhe.parameters import Parameters
from fhe.ring.basis import Basis
from fhe.ring.codec import pack, packed, packed_bytes, unpack
from fhe.ring.poly import CoeffPoly, EvalPoly, Poly
from fhe.ring.random import SEED_BYTES, uniform
from fhe.rlwe.automorphism import check_element
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.ciphertext import Ciphertext
from fhe.rlwe.keyswitch import SwitchingKey
from fhe.rlwe.public import EvaluationKeys, PublicKey
from fhe.wide import value_modulus

KEY_ID_BYTES: Final = 16
CLAIMED: Final = math.nan  # of a noise that somebody else states: neither is it known of anything made with it
LARGEST_DEGREE: Final = 2
LARGEST_INTERVAL_BITS: Final = 4096
DOMAINS: Final[dict[str, type[Poly]]] = {"coefficients": CoeffPoly, "evaluations": EvalPoly}


def parameters_of(claims: Claims) -> Parameters:
    """The parameter set that is claimed, FormatError unless it would be written as it came."""
    parameters = Parameters.from_dict(claims.raw("parameters"))
    if parameters.to_dict() != claims.raw("parameters"):
        raise FormatError("the parameter set is not in its one canonical form; write it with its to_dict()")
    return parameters


# --- public and evaluation keys ---------------------------------------------------------------------------------------


def public_container(chain: ModulusChain, public_key: PublicKey | None, keys: EvaluationKeys) -> Container:
    """Parameters, public key and evaluation keys, as a container of kind "public"; a key is unpacked when written."""
    galois = dict(sorted(keys.galois.items()))
    content = {
        "parameters": chain.parameters.to_dict(),
        "key_id": keys.key_id.hex(),
        "public_key": public_key and public_key.seed.hex(),
        "relinearization": keys.relinearization and _described(keys.relinearization),
        "galois": [{"element": element} | _described(key) for element, key in galois.items()],
    }
    sections: dict[str, Section] = {}
    if public_key is not None:
        if public_key.key_id != keys.key_id:
            raise ParameterError("public key and evaluation keys belong to different secrets; give those of one")
        sections["public_key"] = pack([public_key.b])
    if keys.relinearization is not None:
        sections["relinearization"] = _halves(chain, keys.relinearization)
    sections |= {_galois_section(element): _halves(chain, key) for element, key in galois.items()}
    return Container("public", content, sections)


def _halves(chain: ModulusChain, key: SwitchingKey) -> Made:
    """The b of every digit."""
    digits = len(chain.parameters.digits(key.level))
    return Made(digits * packed_bytes(key.basis.ring_degree, key.basis.moduli), lambda: packed(key.b))


def public_from_bytes(
    data: Section, backend: Backend | str | None = None
) -> tuple[ModulusChain, PublicKey | None, EvaluationKeys]:
    """The chain and the keys of `public_container`, on a backend.

    Raises FormatError for bytes that are not such a container, whole and unharmed, or whose metadata do not fit
    together; ParameterError for a parameter set that cannot be.
    """
    container = Container.from_bytes(data, "public")
    entries = ["parameters", "key_id", "public_key", "relinearization", "galois"]
    claims = Claims(container.content, "a public context", entries)
    chain = ModulusChain.of(parameters_of(claims), backend)
    key_id = claims.octets("key_id", KEY_ID_BYTES)
    galois = _elements(chain, claims)
    named = [name for name in ("public_key", "relinearization") if claims.has(name)]
    container.require_sections([*named, *map(_galois_section, galois)])
    keys, public_key = EvaluationKeys(chain, key_id), None
    if claims.has("public_key"):
        seed = claims.octets("public_key", SEED_BYTES)
        public_key = _public_key(chain, key_id, seed, container.sections["public_key"])
    if claims.has("relinearization"):
        described = Claims(claims.raw("relinearization"), "a relinearisation key", ["level", "seed"])
        keys.relinearization = _switching_key(chain, described, container.sections["relinearization"])
    for element, described in galois.items():
        keys.galois[element] = _switching_key(chain, described, container.sections[_galois_section(element)])
    return chain, public_key, keys


def _described(key: SwitchingKey) -> dict[str, Any]:
    return {"level": key.level, "seed": key.seed.hex()}


def _galois_section(element: int) -> str:
    return f"galois.{element}"


def _elements(chain: ModulusChain, claims: Claims) -> dict[int, Claims]:
    """What is said of each Galois key, by element; the elements ascend, so none comes twice."""
    N = chain.parameters.ring_degree
    described = [Claims(item, "a Galois key", ["element", "level", "seed"]) for item in claims.items("galois")]
    elements = [check_element(item.integer("element", 1, 2 * N - 1), N) for item in described]
    if any(second <= first for first, second in pairwise(elements)):
        raise FormatError("the Galois keys are not in ascending order of their elements, each of them once")
    return dict(zip(elements, described, strict=True))


def _public_key(chain: ModulusChain, key_id: bytes, seed: bytes, section: Section) -> PublicKey:
    parameters, level = chain.parameters, chain.parameters.max_level
    narrow = len(section) == packed_bytes(parameters.ring_degree, parameters.moduli(level))
    moduli = parameters.moduli(level)
    _require_size("a public key", section, parameters, moduli if narrow else parameters.special[:1] + moduli)
    basis = chain.q(level) if narrow else chain.wide(level)
    (b,) = unpack(EvalPoly, basis, section)
    return PublicKey(chain, b, uniform(basis, seed), seed, key_id)


def _switching_key(chain: ModulusChain, claims: Claims, section: Section) -> SwitchingKey:
    parameters = chain.parameters
    level, seed = claims.integer("level", 0, parameters.max_level), claims.octets("seed", SEED_BYTES)
    digits = math.ceil(parameters.limbs(level) / parameters.digit)
    _require_size("a switching key", section, parameters, parameters.special + parameters.moduli(level), digits)
    basis = chain.qp(level)
    a = tuple(uniform(basis, seed, digit=digit) for digit in range(digits))
    return SwitchingKey.of(unpack(EvalPoly, basis, section), a, level, seed)


def _require_size(
    what: str, section: Section, parameters: Parameters, moduli: tuple[int, ...], polynomials: int = 1
) -> None:
    """Raise FormatError unless a section holds so many polynomials; before a basis or a buffer is made."""
    expected = polynomials * packed_bytes(parameters.ring_degree, moduli)
    if len(section) != expected:
        raise FormatError(f"{what} of this parameter set and level takes {expected} bytes, not {len(section)}")


# --- ciphertexts ------------------------------------------------------------------------------------------------------


def ciphertext_to_parts(x: Ciphertext) -> tuple[dict[str, Any], Made]:
    """What is publicly known of a ciphertext, and its polynomials, to be packed: (c_0) and a seed, or (c_0, c_1, …)."""
    x = x.divided()
    refuse_transparent(x)
    content = {
        "level": x.level,
        "degree": x.degree,
        "domain": next(name for name, domain in DOMAINS.items() if isinstance(x.c[0], domain)),
        "scale": float(x.scale),
        "noise": float(x.noise),
        "bound": float(x.bound),
        "seed": x.seed and x.seed.hex(),
    }
    if x.interval is not None:
        content["interval"] = [x.interval.low, x.interval.high]
    sent = x.c if x.seed is None else x.c[:1]
    basis = sent[0].basis
    return content, Made(len(sent) * packed_bytes(basis.ring_degree, basis.moduli), lambda: packed(sent))


def ciphertext_from_parts(content: object, section: Section, chain: ModulusChain, key_id: bytes) -> Ciphertext:
    """The ciphertext of `ciphertext_to_parts`; FormatError for claims that this chain does not allow."""
    names = ["level", "degree", "domain", "scale", "noise", "bound", "seed"]
    names += ["interval"] if isinstance(content, dict) and "interval" in content else []
    claims, parameters = Claims(content, "a ciphertext", names), chain.parameters
    level, degree = claims.integer("level", 0, parameters.max_level), claims.integer("degree", 1, LARGEST_DEGREE)
    scale, noise, bound = claims.number("scale", 1.0), claims.number("noise", 0.0), claims.number("bound", 0.0)
    if math.log2(scale) > parameters.log_modulus(level):
        raise FormatError(f"a scale of 2^{math.log2(scale):.1f} exceeds the modulus of level {level}")
    domain, seed = claims.choice("domain", DOMAINS), None
    if claims.has("seed"):
        seed = claims.octets("seed", SEED_BYTES)
        if degree != 1 or domain is not EvalPoly:
            raise FormatError("only a fresh ciphertext has a seed: one of degree 1, as evaluations")
    sent = degree + 1 if seed is None else 1
    _require_size("a ciphertext", section, parameters, parameters.moduli(level), sent)
    basis = chain.q(level)
    c = unpack(domain, basis, section) + _expanded(basis, seed)
    interval = _interval(claims, parameters) if "interval" in names else None
    return Ciphertext(chain, c, level, key_id, scale, noise, bound, seed, interval, rms=CLAIMED)


def _interval(claims: Claims, parameters: Parameters) -> Interval:
    """The interval of the integers within, or how to read residues, as the plain modulus allows it."""
    interval = Interval(*claims.pair("interval", LARGEST_INTERVAL_BITS))
    t = value_modulus(parameters)
    if not interval.fits(t) or (interval.wraps and interval.low not in (0, -(t // 2))):
        raise FormatError(f"plain modulus {t} does not tell the integers of {interval} apart")
    return interval


def _expanded(basis: Basis, seed: bytes | None) -> tuple[Poly, ...]:
    """c_1 of a fresh symmetric ciphertext, or nothing."""
    return () if seed is None else (uniform(basis, seed),)


def refuse_transparent(x: Ciphertext) -> None:
    """Raise ParameterError for a ciphertext that anybody can read.

    Modulo a prime where c_1, c_2, … vanish, c_0 alone is message and noise. (An encryption times that very prime
    vanishes there altogether and gives nothing away; one that vanishes everywhere is an open zero.)
    """
    if x.seed is not None:
        return
    message, *masks = (poly.residues.any(axis=-1) for poly in x.c)
    masked = np.any(masks, axis=0)
    if not masked.any() or (message & ~masked).any():
        raise ParameterError(
            "this ciphertext is not encrypted: nothing of the secret is left in it, as after x - x or x * 0, and "
            "anybody could read it; add a fresh encryption of zero: x + ctx.encrypt(np.zeros(x.shape))"
        )

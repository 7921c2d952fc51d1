"""Build of the two compiled parts: the native core (C++) and the reference's inner loops (Cython).

Environment
-----------
FHE_SANITIZE=address,undefined   build the core with these sanitizers, unoptimised enough to be readable
FHE_DEBUG=1                      keep the assertions on the kernels' ranges
FHE_NO_CYTHON=1                  leave the reference interpreted
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from pybind11.setup_helpers import ParallelCompile, Pybind11Extension
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

ROOT = Path(__file__).parent
NEED_COMPILER = (
    "fhe builds a C++17 extension and found no working compiler ({error}). Install one, for example "
    "`apt install g++` (Debian, Ubuntu), `dnf install gcc-c++` (Fedora), `xcode-select --install` (macOS)."
)
NEED_CLANG = "fhe is built by clang-cl on Windows and found none; `winget install LLVM.LLVM`, and put its bin on PATH."


def core() -> Extension:
    """The native core: every .cpp of csrc; instruction sets are chosen by target regions, never by flags."""
    compile_args = ["-O3", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra"]
    compile_args += ["-falign-functions=64", "-falign-loops=32"]  # no loop's speed depends on where the linker puts it
    if sys.platform == "win32":  # clang-cl takes clang's flags so; Microsoft's compiler has no 128-bit integers
        compile_args = [f"/clang:{flag}" for flag in compile_args[:3]]
    link_args: list[str] = []
    if sanitizers := os.environ.get("FHE_SANITIZE"):
        compile_args += [f"-fsanitize={sanitizers}", "-fno-omit-frame-pointer", "-fno-sanitize-recover", "-g1", "-O1"]
        link_args += [f"-fsanitize={sanitizers}"]
    debug = bool(os.environ.get("FHE_DEBUG"))
    sources = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "csrc").rglob("*.cpp"))
    files = (path for suffix in ("*.hpp", "*.inl") for path in (ROOT / "csrc").rglob(suffix))
    headers = sorted(str(path.relative_to(ROOT)) for path in files)
    return Pybind11Extension(
        "fhe._core",
        sources,
        depends=headers,
        include_dirs=["csrc"],
        cxx_std=17,
        define_macros=[] if debug else [("NDEBUG", None)],
        undef_macros=["NDEBUG"] if debug else [],  # Python's own flags define it
        extra_compile_args=compile_args,
        extra_link_args=link_args,
    )


def compiled_residue() -> list[Extension]:
    """`fhe/reference/residue.py`, the same source, typed by `residue.pxd`, compiled as `fhe.reference._residue`."""
    source, types = ROOT / "fhe/reference/residue.py", ROOT / "fhe/reference/residue.pxd"
    if os.environ.get("FHE_NO_CYTHON") or not types.exists():
        return []
    from Cython.Build import cythonize  # noqa: PLC0415  (a build may leave it out)

    folder = ROOT / "build/cython/fhe/reference"
    folder.mkdir(parents=True, exist_ok=True)
    for package in (folder, folder.parent):
        (package / "__init__.py").touch()
    shutil.copy2(source, folder / "_residue.py")
    shutil.copy2(types, folder / "_residue.pxd")
    extension = Extension(
        "fhe.reference._residue", [str((folder / "_residue.py").relative_to(ROOT))], depends=[str(source), str(types)]
    )
    modules: list[Extension] = cythonize(
        [extension],
        build_dir=str(ROOT / "build/cython/c"),
        include_path=[str(ROOT / "build/cython")],
        # The types are those of the .pxd, not of the annotations: an int there means any Python integer.
        compiler_directives={"language_level": 3, "annotation_typing": False, "cdivision": True, "wraparound": False},
    )
    return modules


def outdated(object_file: str, source: str) -> bool:
    """Whether an object is older than its source or than any header: which includes which is not tracked."""
    if not Path(object_file).exists():
        return True
    headers = [path for suffix in ("*.hpp", "*.inl") for path in (ROOT / "csrc").rglob(suffix)]
    newest = max(path.stat().st_mtime for path in [ROOT / "setup.py", Path(source), *headers])
    return Path(object_file).stat().st_mtime < newest


def clang_builtins(compiler: Path) -> str:
    """The library of what clang leaves to its own: 128-bit division, CPU features. Microsoft's has neither."""
    asked = [str(compiler.with_name("clang")), "--print-resource-dir"]
    resources = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    found = sorted(Path(resources, "lib").rglob("clang_rt.builtins*.lib"))
    return str(next(path for path in found if "x86_64" in str(path.relative_to(resources))))


class BuildExtensions(build_ext):
    """build_ext that ends a missing compiler in a sentence, and keeps the objects of each configuration apart."""

    def finalize_options(self) -> None:
        super().finalize_options()
        variant = [name for name in ("FHE_SANITIZE", "FHE_DEBUG") if os.environ.get(name)]
        self.build_temp = str(Path(self.build_temp, *variant))

    def build_extensions(self) -> None:
        if self.compiler.compiler_type == "msvc":
            if not (compiler := shutil.which("clang-cl")):
                raise SystemExit(NEED_CLANG)
            self.compiler.initialize()
            self.compiler.cc = compiler
            for extension in self.extensions:
                extension.extra_objects = [*extension.extra_objects, clang_builtins(Path(compiler))]
        try:
            super().build_extensions()
        except CompileError as error:
            if shutil.which(self.compiler.compiler_cxx[0] if self.compiler.compiler_cxx else "c++"):
                raise
            raise SystemExit(NEED_COMPILER.format(error=error)) from error


with ParallelCompile("FHE_BUILD_JOBS", default=0, needs_recompile=outdated):
    setup(ext_modules=[core(), *compiled_residue()], cmdclass={"build_ext": BuildExtensions})

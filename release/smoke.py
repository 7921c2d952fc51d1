"""What a fresh installation must do: run by the Python that has the wheel, away from any checkout.

``python smoke.py README.md`` ends with a line of JSON that says what was found.
"""

from __future__ import annotations

import json
import os
import re
import sys
import sysconfig
import time
from pathlib import Path


def ten_lines(readme: Path) -> str:
    """The example below the heading "Ten lines"."""
    page = readme.read_text(encoding="utf-8")
    found = re.search(r"^## Ten lines\n+```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert found, f"{readme} has no ten lines"
    return found[1]


def agreement() -> dict[str, float]:
    """Seconds that each backend and target here took for the same circuit; the results are the same bits."""
    import numpy as np  # noqa: PLC0415  (imports are part of what is tried)

    import fhe  # noqa: PLC0415
    from fhe.backend.choose import choose, targets  # noqa: PLC0415

    taken, results = {}, []
    for name in ("native", "reference"):
        for target in targets(name):
            start, counter = time.perf_counter(), iter(range(1, 1000))
            parameters = fhe.CKKSParameters(
                ring_degree=256, modulus_bits=[45, 40, 40], special_bits=[45], insecure="a small ring for a self-test"
            )
            seeds = lambda counter=counter: next(counter).to_bytes(32, "little")  # noqa: E731
            owner = fhe.KeyOwner(parameters, choose(name, target), _seeds=seeds)
            x = owner.encrypt(np.linspace(-1, 1, 64), symmetric=True)
            results.append((x * x + x.sum()).to_bytes())
            taken[f"{name} {target}"] = round(time.perf_counter() - start, 3)
    assert len(set(results)) == 1, f"backends differ: {list(taken)}"
    return taken


def main() -> None:
    readme = Path(sys.argv[1])
    start = time.perf_counter()
    exec(compile(ten_lines(readme), str(readme), "exec"), {"__name__": "__main__"})  # noqa: S102  (that is the test)
    seconds = time.perf_counter() - start
    import fhe  # noqa: PLC0415
    from fhe.backend.choose import choose  # noqa: PLC0415

    where = Path(fhe.__file__).resolve()
    assert where.is_relative_to(Path(sysconfig.get_path("platlib")).resolve()), f"fhe comes from {where}"
    assert (where.parent / "py.typed").exists()
    assert choose().name == os.environ.get("FHE_BACKEND", "native"), choose()
    found = {"fhe": fhe.__version__, "python": sys.version.split()[0], "ten_lines_seconds": round(seconds, 2)}
    print(json.dumps(found | {"agree": agreement()}))


if __name__ == "__main__":
    main()

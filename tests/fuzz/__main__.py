"""Fuzz one target with atheris for a time: `python -m tests.fuzz TARGET SECONDS [SEED]`.

What it finds new is kept beside the corpus; an input that breaks a rule is written to `findings/`
and ends the run with an error.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["proxy"]):
    from tests.fuzz.targets import TARGETS

from tests.fuzz.seeds import seeds

LARGEST = 4096  # bytes of an input
HERE = Path(__file__).parent


def main() -> None:
    """Run the fuzzer; it ends the process itself."""
    target, seconds = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(1, 1 << 31)
    corpus, findings = HERE / "corpus" / target, HERE / "findings" / target
    grown = HERE / "grown" / target
    for folder in (corpus, findings, grown):
        folder.mkdir(parents=True, exist_ok=True)
    for number, honest in enumerate(seeds(target)):
        (grown / f"honest-{number}").write_bytes(honest)
    sys.stderr.write(f"fuzzing {target} for {seconds} s with seed {seed}\n")
    atheris.Setup(
        [
            "fuzz",
            *(str(grown), str(corpus)),
            *(f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={LARGEST}"),
            *(f"-artifact_prefix={findings}/", "-timeout=10", "-rss_limit_mb=1024"),
            *("-print_final_stats=1", "-verbosity=0"),
        ],
        TARGETS[target],
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
